// Whether frames of a camera are of the owner, and why not; as xcos_tf/mobile decides.

const MIN_EYE_DISTANCE = 20, MAX_TURN = 0.25, LIGHT = [50, 225], MIN_CONTRAST = 15, MIN_SHARPNESS = 0.16; // see frames.py
const NOTICEABLE = 0.25; // see hints.py
const ADVICE = { "upper part": "take off sunglasses or a hat", "lower part": "take off a mask or scarf, or move your hand" };

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values) => Math.sqrt(mean(values.map((value) => value * value)) - mean(values) ** 2);
const mapOf = (maps, combine) => maps[0].map((row, y) => row.map((_, x) => combine(maps.map((map) => map[y][x]))));

// What is wrong with a frame's face, in clauses; none if nothing is.
export function problemsOf({ landmarks: [left, right, nose, mouthLeft, mouthRight], found, image }) {
  const problems = [], between = (a, b) => a.map((value, axis) => (value + b[axis]) / 2), from = (a, b) => a.map((value, axis) => value - b[axis]);
  if (found > 1) problems.push(`shows ${found} faces; be alone before the camera`);
  const distance = Math.hypot(...from(right, left));
  const top = between(left, right), down = from(between(mouthLeft, mouthRight), top), across = from(nose, top);
  const off = Math.abs(down[0] * across[1] - down[1] * across[0]) / Math.hypot(...down);
  if (distance < MIN_EYE_DISTANCE) {
    problems.push(`shows the eyes only ${distance.toFixed(0)} pixels apart; come closer, until it is at least ${MIN_EYE_DISTANCE}`);
  } else if (!(off / distance <= MAX_TURN)) {
    problems.push("shows the face from the side; look at the camera");
  }
  return [...problems, ...faceProblems(image)];
}

// The same of light and sharpness, by the aligned face: RGB bytes, 112×112.
export function faceProblems(image) {
  const [first, last, start, end] = [20, 100, 22, 90], width = end - start; // free of most hair and background
  const grey = [];
  for (let y = first; y < last; y++) {
    for (let x = start; x < end; x++) {
      const at = (y * 112 + x) * 3;
      grey.push((image[at] * 19595 + image[at + 1] * 38470 + image[at + 2] * 7471 + 32768) >> 16);
    }
  }
  const edges = [];
  for (let i = width; i < grey.length - width; i++) {
    if (i % width === 0 || i % width === width - 1) continue;
    edges.push(grey[i - 1] + grey[i + 1] + grey[i - width] + grey[i + width] - 4 * grey[i]);
  }
  const light = mean(grey), contrast = deviation(grey), problems = [];
  if (light < LIGHT[0]) problems.push("is too dark; turn towards a light");
  else if (light > LIGHT[1]) problems.push("is too bright; turn away from the light");
  if (contrast < MIN_CONTRAST) problems.push("has too little contrast; clean the lens or change the light");
  else if (deviation(edges) / contrast < MIN_SHARPNESS) problems.push("is blurred; hold the camera still");
  return problems;
}

// What is kept of an owner's frames, two or more: their grids, and S as it usually is among them.
// `compare(a, b)` gives {score, similarity_map}; each must reach `agreement` with another.
export async function enrollOwner(grids, compare, agreement) {
  const maps = [], best = grids.map(() => -Infinity);
  for (const [i, a] of grids.entries()) {
    for (const [j, b] of grids.entries()) {
      if (i === j) continue;
      const { score, similarity_map: map } = await compare(a, b);
      maps.push(map);
      best[i] = Math.max(best[i], score);
    }
  }
  if (best.some((score) => score < agreement)) throw new Error("the frames do not match one another; be alone, and hold still");
  return { grids, usual: mapOf(maps, mean) };
}

// One try: a frame's score is the mean of its two best, and more than half must reach the threshold.
export async function judge(owner, grids, compare, { threshold, near }, parts) {
  const scores = [], missed = [];
  for (const grid of grids) {
    const compared = [];
    for (const template of owner.grids) compared.push(await compare(template, grid));
    const score = mean(compared.map((x) => x.score).sort((a, b) => b - a).slice(0, 2));
    scores.push(score);
    if (score < threshold) missed.push(...compared.map((x) => x.similarity_map));
  }
  const matching = scores.filter((score) => score >= threshold).length;
  const unlocked = matching > grids.length / 2;
  // Told a hint after less, an impostor would be shown the way to the owner's face.
  const told = !unlocked && scores.some((score) => score >= near);
  return { unlocked, scores, matching, hint: told ? hintOf(mapOf(missed, mean), owner.usual, parts) : "" };
}

// Which area of a face looks covered, since it is less like the owner than usual.
export function hintOf(similarity, usual, parts) {
  const height = usual.length, width = usual[0].length, lack = mapOf([usual, similarity], ([a, b]) => a - b);
  const rows = { upper: (y) => 2 * y < height, lower: (y) => 2 * y >= height };
  const columns = { left: (x) => 2 * x + 1 < width, right: (x) => 2 * x + 1 > width };
  const areas = {};
  for (const row in rows) for (const column in columns) areas[`${row} ${column}`] = (y, x) => rows[row](y) && columns[column](x);
  for (const row in rows) areas[`${row} part`] = (y) => rows[row](y);
  for (const column in columns) areas[`${column} side`] = (y, x) => columns[column](x);
  const split = (inside, wanted) => lack.flatMap((row, y) => row.filter((_, x) => inside(y, x) === wanted));
  const standsOut = (inside) => {
    const share = split(inside, true).length / (height * width);
    return (mean(split(inside, true)) - mean(split(inside, false))) * 2 * Math.sqrt(share * (1 - share));
  };
  const area = Object.keys(areas).reduce((best, name) => (standsOut(areas[name]) > standsOut(areas[best]) ? name : best));
  if (standsOut(areas[area]) < NOTICEABLE) {
    return "no part of the face stands out: look straight at the camera, in even light, or enroll again";
  }
  const lacks = {};
  parts.forEach((row, y) => row.forEach((part, x) => (lacks[part] ??= []).push(areas[area](y, x) ? lack[y][x] : 0)));
  const most = Object.keys(lacks).sort((a, b) => mean(lacks[b]) - mean(lacks[a])).slice(0, 2).join(", ");
  return `the ${area} of the face looks covered (${most}): ${ADVICE[area] ?? "move your hand"} (left and right as seen in the picture)`;
}
