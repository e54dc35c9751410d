// The page without a server: the same answers as POST /verify, computed here by LiteRT.js.

import { Tensor, loadAndCompile, loadLiteRt } from "../litert/core/dist/index.js";
import { SIZES, findFace } from "./detector.js";
import { FACE_SIZE, readPhoto, warpFace } from "./photo.js";

// Of a folder that `xcos demo --static` wrote; `facts` are those of its file `presets`.
export async function load(facts) {
  await loadLiteRt(new URL("../litert/core/wasm/", import.meta.url).href);
  const cells = facts.parts.flat().length;
  // One row for the pair, and one for each cell of each face that is thought to be covered.
  const sizes = { ...SIZES, embed: 1, compare: facts.whatif ? 1 + 2 * cells : 1, ...(facts.whatif && { whatif: 2 }) };
  const names = Object.keys(sizes);
  const loaded = await Promise.all(names.map((name) => loadModel(name, sizes[name])));
  const models = Object.fromEntries(names.map((name, i) => [name, loaded[i]]));
  const only = (name) => async (input) => Object.values(await models[name](input))[0];
  const networks = { pnet: only("pnet"), rnet: only("rnet"), onet: only("onet") };

  // The aligned face of a photo and its grid feature.
  async function enroll(file, name) {
    const { photo, scale } = await readPhoto(file, name);
    const face = await findFace(networks, photo);
    if (!face) throw new Error(`no face was found in ${name}; give a photo with one visible face`);
    const image = warpFace(photo, face.landmarks);
    const { grid } = await models.embed(image);
    const box = face.box.map((value) => value * scale), landmarks = face.landmarks.map((point) => point.map((value) => value * scale));
    return { ...face, box, landmarks, image, grid };
  }

  // S and W of two grids, the score, and what it would be with each cell of a face covered.
  async function compare(a, b) {
    const rows = sizes.compare, first = new Float32Array(rows * a.length), second = new Float32Array(rows * b.length);
    for (let row = 0; row < rows; row++) {
      first.set(a, row * a.length);
      second.set(b, row * b.length);
    }
    if (models.whatif) {
      const { covered } = await models.whatif(Float32Array.of(...a, ...b));
      first.set(covered.subarray(0, cells * a.length), a.length);
      second.set(covered.subarray(cells * a.length), (1 + cells) * b.length);
    }
    const { xcos, similarity_map, attention_map } = await models.compare({ grid_a: first, grid_b: second });
    const map = (values) => facts.parts.map((row, y) => row.map((_, x) => values[y * row.length + x]));
    const drops = [...xcos.subarray(1)].map((score) => xcos[0] - score);
    return {
      score: xcos[0],
      similarity_map: map(similarity_map),
      attention_map: map(attention_map),
      ...(models.whatif && { drops: [map(drops.slice(0, cells)), map(drops.slice(cells))] }),
    };
  }

  async function verify(photoA, photoB) {
    const faces = [await enroll(photoA, "the first photo"), await enroll(photoB, "the second photo")];
    const found = await compare(faces[0].grid, faces[1].grid);
    const threshold = facts.thresholds[facts.attention]["0.001"], same = found.score >= threshold;
    const attentions = {};
    for (const [name, weights] of Object.entries({ ...facts.fixed_attentions, [facts.attention]: found.attention_map })) {
      const score = found.similarity_map.flat().reduce((sum, s, i) => sum + s * weights.flat()[i], 0);
      attentions[name] = { score: name === facts.attention ? found.score : score, attention_map: weights, thresholds: facts.thresholds[name] ?? {} };
    }
    return {
      ...found, same, threshold, attention: facts.attention, attentions,
      sentence: found.drops && sentence(facts, found.drops, same),
      faces: faces.map(({ image, box, landmarks, found: faces_found, turned }) => ({ image: picture(image), box, landmarks, faces_found, turned })),
    };
  }
  return { enroll, compare, verify };
}

// A model as a function from its input, or {input: values}, to {output: values}.
async function loadModel(name, size) {
  const response = await fetch(new URL(`../models/${name}.tflite`, import.meta.url));
  if (!response.ok) throw new Error(`the model ${name} is not there; write the folder again with xcos demo --static`);
  const model = await loadAndCompile(fixSize(new Uint8Array(await response.arrayBuffer()), size), { accelerator: "wasm" });
  const inputs = model.getInputDetails();
  return async (values) => {
    const given = ArrayBuffer.isView(values) ? { [inputs[0].name]: values } : values;
    const tensors = Object.fromEntries(inputs.map((input) => [input.name, new Tensor(given[input.name], [...input.shape])]));
    const found = await model.run(tensors);
    const answer = Object.fromEntries(Object.entries(found).map(([key, tensor]) => [key, tensor.toTypedArray()]));
    for (const tensor of [...Object.values(tensors), ...Object.values(found)]) tensor.delete();
    return answer;
  };
}

// LiteRT.js cannot resize a model, so each unknown size in its file is filled in before it is
// loaded: a batch, or by their number of channels the sides of P-Net's input and output. (Those of
// other tensors are computed anew.) The file is a FlatBuffer: tables of offsets, little-endian.
function fixSize(content, size) {
  const view = new DataView(content.buffer);
  const follow = (at) => at + view.getUint32(at, true);
  const field = (table, number) => {
    const layout = table - view.getInt32(table, true), slot = 4 + 2 * number;
    const offset = slot < view.getUint16(layout, true) ? view.getUint16(layout + slot, true) : 0;
    return offset && follow(table + offset);
  };
  const items = (vector) => Array.from({ length: vector && view.getUint32(vector, true) }, (_, i) => vector + 4 + 4 * i);
  const [SUBGRAPHS, TENSORS, SHAPE, SIGNATURE] = [2, 0, 0, 7];
  const [graph] = items(field(follow(0), SUBGRAPHS)).map(follow);
  for (const tensor of items(field(graph, TENSORS)).map(follow)) {
    const shape = items(field(tensor, SHAPE)), signature = items(field(tensor, SIGNATURE));
    const channels = signature.length && view.getInt32(signature.at(-1), true);
    signature.forEach((at, axis) => {
      if (view.getInt32(at, true) !== -1) return;
      for (const place of [at, shape[axis]]) view.setInt32(place, size[channels] ?? (size.length ?? size), true);
    });
  }
  return content;
}

function picture(face) {
  const canvas = Object.assign(document.createElement("canvas"), { width: FACE_SIZE, height: FACE_SIZE });
  const pixels = new ImageData(FACE_SIZE, FACE_SIZE);
  for (let i = 0; i < FACE_SIZE ** 2; i++) pixels.data.set([...face.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

// Which parts of the faces decided, by what covering them would do; as describe_drops in Python.
function sentence({ parts, trusted_drop: least }, drops, same) {
  const strongest = {};
  parts.forEach((row, y) => row.forEach((part, x) => {
    const drop = (drops[0][y][x] + drops[1][y][x]) / 2;
    if (!(Math.abs(drop) <= Math.abs(strongest[part]))) strongest[part] = drop;
  }));
  const rounded = (part) => Math.round(strongest[part] * 1e6);
  const ordered = Object.keys(strongest).sort((a, b) => rounded(b) - rounded(a));
  const speaking = ordered.filter((part) => strongest[part] >= least);
  const against = ordered.toReversed().filter((part) => strongest[part] <= -least);
  const [deciding, opposing] = (same ? [speaking.slice(0, 2), against.slice(0, 1)] : [against.slice(0, 2), speaking.slice(0, 1)]).map((those) =>
    those.map((part) => `${part} (${strongest[part] < 0 ? "−" : "+"}${Math.abs(strongest[part]).toFixed(2)})`).join(", "),
  );
  if (!deciding && !opposing) return "no part decided alone: covering one cell would hardly move the score";
  const said = `decided by: ${deciding || "no part alone"}${opposing && `; against: ${opposing}`}, by how much the score would drop if one cell there were covered`;
  return /\b(left|right)\b/.test(deciding + opposing) ? `${said} (left and right as seen in the picture)` : said;
}
