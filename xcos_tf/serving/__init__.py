"""A client of models that `xcos export` wrote and TF Serving serves (`docs/serving.md`).

- `client.ServingClient`: verify, verify_encoded, embed, compare and status, by gRPC or REST.
- `photos.verify_photos`: what `xcos verify --server` does.
- `errors`: the errors, all of them kinds of `XcosError`.
"""
