# `xcos serve` on LiteRT: no TensorFlow, no root. docs/http.md says how it is run.
FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /venv
# All that pyproject.toml asks for but TensorFlow, Keras and TensorBoard, which are for training.
RUN /venv/bin/pip install --no-cache-dir \
    "ai-edge-litert>=1.2" \
    "faiss-cpu>=1.8" \
    "google-crc32c>=1.5" \
    "jinja2>=3.1" \
    "matplotlib>=3.8" \
    "numpy>=1.26" \
    "pillow>=10.1" \
    "protobuf>=4.22" \
    "pydantic>=2.5,<3" \
    "ruamel.yaml>=0.18,<0.20" \
    "safetensors>=0.4.3" \
    "scipy>=1.10,<2" \
    "shtab>=1.6" \
    "tqdm>=4.66" \
    "fastapi>=0.110" \
    "uvicorn>=0.29" \
    "python-multipart>=0.0.9" \
    "prometheus-client>=0.20" \
    "psycopg[binary]>=3.1" \
    "pgvector>=0.3"
COPY pyproject.toml README.md LICENSE ./
COPY xcos_tf xcos_tf
RUN /venv/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 xcos
COPY --from=build /venv /venv
USER xcos
WORKDIR /home/xcos
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8080
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz')"]
ENTRYPOINT ["xcos"]
CMD ["serve", "--host", "0.0.0.0"]
