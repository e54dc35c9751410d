// A photo's pixels, {width, height, data} with RGBA bytes as in ImageData: read, resize, turn, warp.

const LONGEST = 4096; // pixels of a side; a canvas of a phone holds no more

export const FACE_SIZE = 112;
// x, y of eye, eye, nose, mouth corner and mouth corner of an aligned face.
const TEMPLATE = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

// From a file, or anything else that createImageBitmap takes; upright, and over white. `scale` is how
// much larger the photo itself is.
export async function readPhoto(file, name) {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch(() => {
    throw new Error(`${name} is not an image that this browser can read; give a JPEG, PNG or WebP`);
  });
  const shrink = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * shrink)));
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { photo: context.getImageData(0, 0, width, height), scale: 1 / shrink };
}

// Smaller, each pixel a mean of those around its place, weighted by a triangle: Pillow's BILINEAR,
// which begins with the columns if a photo is tall.
export function resize(photo, width, height) {
  if (photo.height > 2 * photo.width) return resample(resample(photo, 1, height), 0, width);
  return resample(resample(photo, 0, width), 1, height);
}

// With so many pixels along an axis: 0 is across, 1 down.
function resample(photo, axis, size) {
  const sides = [photo.width, photo.height], scale = sides[axis] / size, reach = Math.max(1, scale);
  if (sides[axis] === size) return photo;
  const length = sides[axis], lines = sides[1 - axis], step = axis ? photo.width * 4 : 4, lineStep = axis ? 4 : photo.width * 4;
  sides[axis] = size;
  const [width, height] = sides, data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5)), last = Math.min(length, Math.trunc(centre + reach + 0.5));
    const shares = Float64Array.from({ length: last - first }, (_, k) => Math.max(0, 1 - Math.abs(first + k - centre + 0.5) / reach));
    const sum = shares.reduce((a, b) => a + b);
    for (let line = 0; line < lines; line++) {
      let red = 0, green = 0, blue = 0, at = line * lineStep + first * step;
      for (let k = 0; k < shares.length; k++, at += step) {
        red += shares[k] * photo.data[at];
        green += shares[k] * photo.data[at + 1];
        blue += shares[k] * photo.data[at + 2];
      }
      const to = (axis ? i * width + line : line * width + i) * 4;
      data[to] = Math.floor(red / sum + 0.5);
      data[to + 1] = Math.floor(green / sum + 0.5);
      data[to + 2] = Math.floor(blue / sum + 0.5);
      data[to + 3] = 255;
    }
  }
  return { width, height, data };
}

// A photo of another size, each pixel of which is the one at the place that `from(x, y)` gives.
function rearranged(photo, width, height, from) {
  const pixels = new Uint32Array(photo.data.buffer), moved = new Uint32Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const [u, v] = from(x, y);
      const inside = u >= 0 && v >= 0 && u < photo.width && v < photo.height;
      moved[i] = inside ? pixels[v * photo.width + u] : 0xff000000;
    }
  }
  return { width, height, data: new Uint8ClampedArray(moved.buffer) };
}

// Turned clockwise, with the way back for places in it.
export function turned(photo, degrees) {
  const { width, height } = photo;
  const back = {
    180: (x, y) => [width - 1 - x, height - 1 - y],
    90: (x, y) => [y, height - 1 - x],
    270: (x, y) => [width - 1 - y, x],
  }[degrees];
  return { photo: degrees === 180 ? rearranged(photo, width, height, back) : rearranged(photo, height, width, back), back };
}

// With a black border.
export function bordered(photo, side) {
  return rearranged(photo, photo.width + 2 * side, photo.height + 2 * side, (x, y) => [x - side, y - side]);
}

// A face, cut out so that its landmarks come to lie on the template's: RGB bytes, 112×112.
export function warpFace(photo, landmarks) {
  // Rotation, scale and shift from the template to the photo, by least squares (Umeyama, 1991).
  const [tx, ty] = centre(TEMPLATE), [px, py] = centre(landmarks);
  let a = 0, b = 0, variance = 0;
  TEMPLATE.forEach(([x, y], i) => {
    const [u, v] = [landmarks[i][0] - px, landmarks[i][1] - py];
    a += (x - tx) * u + (y - ty) * v;
    b += (x - tx) * v - (y - ty) * u;
    variance += (x - tx) ** 2 + (y - ty) ** 2;
  });
  [a, b] = [a / variance, b / variance];
  const place = (x, y) => [a * (x - tx) - b * (y - ty) + px, b * (x - tx) + a * (y - ty) + py];
  const { left, top, width, height, factor, data } = reduced(photo, place, Math.hypot(a, b));
  const face = new Uint8Array(FACE_SIZE ** 2 * 3);
  const clip = (value, size) => Math.min(Math.max(value, 0), size - 1);
  for (let y = 0, i = 0; y < FACE_SIZE; y++) {
    for (let x = 0; x < FACE_SIZE; x++, i += 3) {
      let [u, v] = place(x, y);
      u = (u - left - (factor - 1) / 2) / factor;
      v = (v - top - (factor - 1) / 2) / factor;
      if (u < -0.5 || v < -0.5 || u >= width - 0.5 || v >= height - 0.5) continue; // stays black
      const column = Math.floor(u), row = Math.floor(v), right = u - column, below = v - row;
      const corner = (dx, dy) => (clip(row + dy, height) * width + clip(column + dx, width)) * 3;
      const [p, q, r, s] = [corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)];
      for (let c = 0; c < 3; c++) {
        const upper = data[p + c] + (data[q + c] - data[p + c]) * right;
        const lower = data[r + c] + (data[s + c] - data[r + c]) * right;
        face[i + c] = Math.round(upper + (lower - upper) * below);
      }
    }
  }
  return face;
}

const centre = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);

// The part of a photo that a face is cut from, as RGB; averaged down where the face is large.
function reduced(photo, place, scale) {
  const factor = Math.max(1, Math.trunc(scale + 1e-6));
  const corners = [[0, 0], [FACE_SIZE, 0], [0, FACE_SIZE], [FACE_SIZE, FACE_SIZE]].map(([x, y]) => place(x, y));
  const [[left, right], [top, bottom]] = [photo.width, photo.height].map((limit, axis) => {
    const along = corners.map((corner) => corner[axis]);
    const first = Math.round(Math.min(...along) - (factor - 1) / 2) - 2 * factor;
    const low = Math.min(Math.max(first, 0), limit - 1);
    return [low, Math.min(Math.max(Math.ceil(Math.max(...along)) + 2 * factor, low + 1), limit)];
  });
  const width = Math.ceil((right - left) / factor), height = Math.ceil((bottom - top) / factor);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    const bottomEnd = Math.min(top + (y + 1) * factor, bottom);
    for (let x = 0; x < width; x++) {
      const rightEnd = Math.min(left + (x + 1) * factor, right);
      const count = (rightEnd - left - x * factor) * (bottomEnd - top - y * factor);
      for (let c = 0; c < 3; c++, i++) {
        let sum = Math.trunc(count / 2);
        for (let v = top + y * factor; v < bottomEnd; v++) {
          for (let u = left + x * factor; u < rightEnd; u++) sum += photo.data[(v * photo.width + u) * 4 + c];
        }
        data[i] = (sum * Math.trunc(2 ** 24 / count)) / 2 ** 24; // as Pillow divides
      }
    }
  }
  return { left, top, width, height, factor, data };
}
