// MTCNN in the browser: faces and their landmarks, as xcos_tf/data/cascade.py and detection.py find
// them. The networks are functions, run by LiteRT.js; what lies between them is here.

import { bordered, resize, turned } from "./photo.js";

const LONGEST = 1280; // pixels; a larger photo is searched in a smaller copy
const SMALLEST_FACE = 20, STEP = 0.709; // each copy of the photo is smaller by this
const WINDOW = 12, STRIDE = 2; // what P-Net looks at, and how far one look is from the next
const PROPOSED = logOdds(0.6), REFINED = logOdds(0.7), FOUND = logOdds(0.8);
const MOST_WINDOWS = 4096;
const POOR = 0.98, SURE = 0.995, BORDER = 0.2; // see detection.py

// LiteRT.js runs models of fixed sizes alone, so P-Net looks at one square of a copy at a time. Its
// side is odd, for P-Net pads a copy of odd sides, and only the edge of such a copy must be padded.
const LOOKS = 32, TILE = LOOKS * STRIDE + WINDOW - STRIDE + 1;
export const SIZES = { pnet: { 3: TILE, 5: LOOKS + 1 }, rnet: 16, onet: 4 };

function logOdds(probability) {
  return Math.log(probability / (1 - probability));
}

// The face of a photo that counts, {box: [x, y, width, height], landmarks, confidence, found,
// turned}, or undefined.
export async function findFace(networks, photo) {
  const face = await search(networks, photo);
  if (!face) return undefined;
  const { places: [one, other, ...landmarks], ...more } = face;
  const [low, high] = [Math.min, Math.max].map((of) => [0, 1].map((axis) => of(one[axis], other[axis])));
  return { ...more, box: [...low, high[0] - low[0], high[1] - low[1]], landmarks };
}

// The same, with its places in the photo: two corners of the box, and the landmarks.
async function search(networks, photo) {
  const upright = await largestCentral(networks, photo);
  if (upright?.confidence >= POOR) return upright;
  const best = await turnedFace(networks, photo);
  if (best && (!upright || best.confidence >= SURE)) return best;
  if (upright) return upright;
  const { width, height } = photo;
  const side = Math.min(Math.round(Math.max(width, height) * BORDER), width, height);
  const wide = bordered(photo, side);
  const found = (await largestCentral(networks, wide)) ?? (await turnedFace(networks, wide));
  return found && { ...found, places: found.places.map(([x, y]) => [x - side, y - side]) };
}

async function turnedFace(networks, photo) {
  let best;
  for (const degrees of [180, 90, 270]) {
    const view = turned(photo, degrees);
    const face = await largestCentral(networks, view.photo);
    if (!(face?.confidence >= POOR) || face.confidence <= best?.confidence) continue;
    best = { ...face, places: face.places.map(([x, y]) => view.back(x, y)), turned: degrees };
  }
  return best;
}

async function largestCentral(networks, photo) {
  const shrink = Math.min(1, LONGEST / Math.max(photo.width, photo.height));
  const width = Math.max(1, Math.round(photo.width * shrink)), height = Math.max(1, Math.round(photo.height * shrink));
  const scale = [photo.width / width, photo.height / height];
  const faces = (await findFaces(networks, resize(photo, width, height))).map(({ box, points, odds }) => ({
    places: [box.slice(0, 2), box.slice(2), ...points].map((place) => place.map((value, axis) => (value + 0.5) * scale[axis] - 0.5)),
    confidence: 1 / (1 + Math.exp(-odds)),
  })).filter(({ places: [low, high, ...points] }) =>
    // A face that is all in one point cannot be aligned.
    high[0] > low[0] && high[1] > low[1] && points.some(([x, y]) => x !== points[0][0] || y !== points[0][1]),
  );
  const centrality = ({ places: [low, high] }) => {
    const x = (low[0] + high[0] - (photo.width - 1)) / 2, y = (low[1] + high[1] - (photo.height - 1)) / 2;
    return (high[0] - low[0]) * (high[1] - low[1]) - 2 * (x * x + y * y);
  };
  if (!faces.length) return undefined;
  const face = faces.reduce((best, other) => (centrality(other) > centrality(best) ? other : best));
  return { ...face, found: faces.length, turned: 0 };
}

// All faces, {box: [x1, y1, x2, y2], odds, points: five [x, y]}, likeliest first.
async function findFaces(networks, photo) {
  let boxes = squared(await proposals(networks.pnet, photo));
  boxes = squared(best((await lookedAt(networks.rnet, photo, boxes, 24)).map(moved), REFINED, 0.7));
  const faces = (await lookedAt(networks.onet, photo, boxes, 48)).map((face) => {
    const [x1, y1, x2, y2] = face.box;
    const points = Array.from({ length: 5 }, (_, i) => [
      face.points[i] * (x2 - x1 + 1) + x1 - 1,
      face.points[i + 5] * (y2 - y1 + 1) + y1 - 1,
    ]);
    return { ...moved(face), points };
  });
  const limits = [photo.width - 1, photo.height - 1, photo.width - 1, photo.height - 1];
  return best(faces, FOUND, 0.7, true).map((face) => ({
    ...face,
    box: face.box.map((value, i) => Math.min(Math.max(value, 0), limits[i])),
  }));
}

async function proposals(pnet, photo) {
  const copyOf = pyramid(photo), shorter = Math.min(photo.width, photo.height), tile = new Float32Array(TILE * TILE * 3);
  const count = Math.round(-Math.log(shorter / WINDOW) / Math.log(STEP) - 1);
  const kept = [];
  for (let level = 0; level < count; level++) {
    const scale = (WINDOW / SMALLEST_FACE) * STEP ** level, copy = copyOf(scale), windows = [];
    for (const [top, rows] of squares(copy.height)) {
      for (const [left, columns] of squares(copy.width)) {
        cut(copy, left, top, tile);
        const looks = await pnet(tile);
        for (let y = Math.max(0, -top / STRIDE); y < rows; y++) {
          for (let x = Math.max(0, -left / STRIDE); x < columns; x++) {
            const at = (y * (LOOKS + 1) + x) * 5, odds = looks[at];
            if (!(odds > PROPOSED)) continue;
            const [cx, cy] = [left + x * STRIDE, top + y * STRIDE];
            const sides = [cx + 1, cy + 1, cx + WINDOW, cy + WINDOW];
            windows.push({ odds, box: sides.map((side, i) => (side + looks[at + 1 + i] * (WINDOW - 1)) / scale) });
          }
        }
      }
    }
    kept.push(...best(windows, PROPOSED, 0.5));
  }
  return best(kept, PROPOSED, 0.7);
}

// Where squares begin along a side, from its end on, and how many looks of each count.
function squares(side) {
  const found = [];
  for (let start = (side | 1) - TILE; ; start -= LOOKS * STRIDE) {
    found.unshift([start, found.length ? LOOKS : LOOKS + (side % 2)]);
    if (start <= 0) return found;
  }
}

// Copies of a photo, each pixel the mean of what is under it, by four corners of a table of sums.
function pyramid(photo) {
  const { width, height, data } = photo, row = (width + 1) * 3;
  const sums = new Int32Array((height + 1) * row);
  for (let y = 0, from = 0; y < height; y++, from += width * 4) {
    for (let x = 0, at = (y + 1) * row + 3; x < width; x++) {
      for (let c = 0; c < 3; c++, at++) sums[at] = data[from + 4 * x + c] + sums[at - 3] + sums[at - row] - sums[at - row - 3];
    }
  }
  return (scale) => {
    const copy = { width: Math.trunc(scale * width), height: Math.trunc(scale * height) };
    copy.data = new Float32Array(copy.width * copy.height * 3);
    const share = (copy.width * copy.height) / (width * height);
    const columns = places(width, copy.width), rows = places(height, copy.height);
    const strip = new Float64Array(row); // of sums, between two places down
    const between = (at, part) => strip[at] + (strip[at + 3] - strip[at]) * part;
    const down = (at, { low, part }, i) => {
      const before = sums[low[i] * row + at];
      return before + (sums[(low[i] + 1) * row + at] - before) * part[i];
    };
    for (let y = 0, i = 0; y < copy.height; y++) {
      for (let at = 0; at < row; at++) strip[at] = down(at, rows, y + 1) - down(at, rows, y);
      for (let x = 0; x < copy.width; x++) {
        for (let c = 0; c < 3; c++, i++) {
          const to = between(columns.low[x + 1] * 3 + c, columns.part[x + 1]);
          copy.data[i] = (to - between(columns.low[x] * 3 + c, columns.part[x])) * share;
        }
      }
    }
    return copy;
  };
}

// The ends of equal pieces of a length: whole pixels, and the rest.
function places(length, count) {
  const ends = Float64Array.from({ length: count + 1 }, (_, i) => (i * length) / count);
  const low = Int32Array.from(ends, (end) => Math.min(Math.trunc(end), length - 1));
  return { low, part: ends.map((end, i) => end - low[i]) };
}

// Fills a square from a copy; what is beyond its edge is in no look that counts.
function cut(copy, left, top, tile) {
  const columns = Int32Array.from({ length: TILE }, (_, x) => Math.min(Math.max(left + x, 0), copy.width - 1));
  for (let y = 0, i = 0; y < TILE; y++) {
    const row = Math.min(Math.max(top + y, 0), copy.height - 1) * copy.width;
    for (const column of columns) {
      for (let c = 0, at = (row + column) * 3; c < 3; c++, i++) tile[i] = copy.data[at + c];
    }
  }
}

// What R-Net or O-Net says of boxes, {box, odds, offsets, points}.
async function lookedAt(network, photo, boxes, side) {
  const size = side * side * 3, atOnce = side === 24 ? SIZES.rnet : SIZES.onet;
  const batch = new Float32Array(atOnce * size), answers = [];
  for (let start = 0; start < boxes.length; start += atOnce) {
    const those = boxes.slice(start, start + atOnce);
    those.forEach(({ box }, i) => crop(photo, box, side, batch.subarray(i * size, (i + 1) * size)));
    const found = await network(batch), length = found.length / atOnce;
    those.forEach(({ box }, i) => {
      const [odds, ...rest] = found.subarray(i * length, (i + 1) * length);
      answers.push({ box, odds, offsets: rest.slice(0, 4), points: rest.slice(4) });
    });
  }
  return answers;
}

// Cuts a box out of a photo, bilinear, grey where it reaches beyond it.
function crop(photo, box, side, into) {
  const along = (axis, length) => {
    const limit = length - 1, share = limit / length;
    const low = box[axis] * share, high = box[axis + 2] * share;
    return Array.from({ length: side }, (_, i) => {
      const at = low + (i / (side - 1)) * (high - low), first = Math.trunc(Math.min(Math.max(at, 0), limit));
      return { outside: at < 0 || at > limit, first, next: Math.min(first + 1, limit), part: Math.min(Math.max(at, 0), limit) - first };
    });
  };
  const columns = along(0, photo.width), rows = along(1, photo.height), { data, width } = photo;
  let i = 0;
  for (const y of rows) {
    const upper = y.first * width, lower = y.next * width;
    for (const x of columns) {
      const outside = x.outside || y.outside;
      for (let c = 0; c < 3; c++, i++) {
        const mixed = (row) => {
          const left = data[(row + x.first) * 4 + c];
          return left + (data[(row + x.next) * 4 + c] - left) * x.part;
        };
        into[i] = outside ? 127.5 : mixed(upper) * (1 - y.part) + mixed(lower) * y.part;
      }
    }
  }
}

function moved(face) {
  const [x1, y1, x2, y2] = face.box, sides = [x2 - x1 + 1, y2 - y1 + 1];
  return { ...face, box: face.box.map((value, i) => value + face.offsets[i] * sides[i % 2]) };
}

// With the shorter sides as long as the longer, about the centre.
function squared(faces) {
  return faces.map((face) => {
    const [x1, y1, x2, y2] = face.box, longest = Math.max(x2 - x1, y2 - y1);
    const [x, y] = [(x1 + x2 - longest) / 2, (y1 + y2 - longest) / 2];
    return { ...face, box: [x, y, x + longest, y + longest] };
  });
}

// Those that are likely enough and overlap no likelier one, likeliest first.
function best(faces, least, overlap, ofSmaller = false) {
  const likely = faces.toSorted((a, b) => b.odds - a.odds).slice(0, MOST_WINDOWS).filter(({ odds }) => odds > least);
  const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
  return likely.filter(({ box }, rank) => likely.slice(0, rank).every(({ box: other }) => {
    const width = Math.min(box[2], other[2]) - Math.max(box[0], other[0]);
    const height = Math.min(box[3], other[3]) - Math.max(box[1], other[1]);
    const shared = Math.max(width, 0) * Math.max(height, 0);
    const whole = ofSmaller ? Math.min(area(box), area(other)) : area(box) + area(other) - shared;
    return shared <= overlap * whole;
  }));
}
