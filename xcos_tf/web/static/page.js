// The page of `xcos serve`: it asks /verify and /find, and draws the maps over the faces. In a folder
// of `xcos demo --static` it asks on-device.js, and no photo is sent.

const $ = (selector) => document.querySelector(selector);
const photos = {};
let facts, answer;

const number = (value, digits = 3) => value.toFixed(digits).replace("-", "−");

async function ask(route, body) {
  const response = await fetch(route, body && { method: "POST", body });
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(content.error ?? "the service does not answer; try again");
  return content;
}

// Returns what compares two photos.
async function comparison() {
  facts = await ask("presets");
  if (facts.on_device) return comparisonHere();
  return (a, b) => {
    const body = new FormData();
    body.append("a", a);
    body.append("b", b);
    return ask("verify", body);
  };
}

async function comparisonHere() {
  say($("#privacy"), "Photos do not leave this device. ");
  $("#privacy").append(Object.assign(document.createElement("a"), { href: "unlock.html", textContent: "Unlock by your face" }));
  say($("#message"), "Loading the models…");
  try {
    const { verify } = await (await import("./on-device.js")).load(facts);
    say($("#message"), "");
    return verify;
  } catch (error) {
    throw new Error(`this browser cannot compute it (${error.message}); try another browser, or xcos demo`);
  }
}

function say(element, text, isError = false) {
  element.textContent = text;
  element.classList.toggle("error", isError);
}

function take(name, file) {
  photos[name] = file;
  const image = $(`[data-photo=${name}] img`);
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  image.hidden = false;
  image.alt = file.name ?? "a photo of the camera";
  if (name === "probe") find();
  else if (photos.a && photos.b) verify();
}

async function verify() {
  say($("#message"), "Comparing…");
  $("#result").hidden = true;
  const asked = { ...photos };
  try {
    const found = await (await compare)(asked.a, asked.b);
    if (asked.a !== photos.a || asked.b !== photos.b) return; // other photos came meanwhile
    answer = found;
    const several = answer.faces.some((face) => face.faces_found > 1);
    say($("#message"), several ? "A photo shows several faces; the largest central one counts." : "");
    show();
  } catch (error) {
    say($("#message"), error.message, true);
  }
}

function show() {
  const names = Object.keys(answer.attentions);
  $("#attention").replaceChildren(...names.map((name) => new Option(name, name)));
  $("#attention").value = answer.attention;
  $(".choices").hidden = $("#layers").hidden = !names.length;
  answer.faces.forEach((face, i) => {
    const box = $(`[data-face="${i}"]`);
    box.style.backgroundImage = `url(${face.image})`;
    box.replaceChildren(...facts.parts.flatMap((row, y) => row.map((_, x) => cellButton(y, x))));
    box.style.gridTemplateColumns = `repeat(${facts.parts.length ? facts.parts[0].length : 1}, 1fr)`;
  });
  $("#result").hidden = false;
  update();
}

function cellButton(y, x) {
  const button = document.createElement("button");
  button.dataset.cell = `${y},${x}`;
  button.tabIndex = y || x ? -1 : 0;
  button.addEventListener("pointerenter", () => point(y, x));
  button.addEventListener("focus", () => point(y, x));
  button.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    button.parentElement.querySelector(`[data-cell="${y + step[0]},${x + step[1]}"]`)?.focus();
  });
  return button;
}

// What the sliders choose: everything came with the answer, so nothing is asked again.
function chosen() {
  const attention = answer.attentions[$("#attention").value];
  if (!attention) return { score: answer.score, threshold: answer.threshold };
  const rates = Object.keys(attention.thresholds).sort((a, b) => b - a);
  const slider = $("#fmr");
  slider.max = Math.max(rates.length - 1, 0);
  slider.disabled = !rates.length;
  if (slider.dataset.set !== "yes") {
    slider.value = rates.indexOf("0.001");
    slider.dataset.set = "yes";
  }
  const rate = rates[slider.value];
  $("#fmr-value").textContent = rate ? `${100 * rate} %` : "none stated";
  return { score: attention.score, threshold: rate ? attention.thresholds[rate] : answer.threshold, weights: attention.attention_map };
}

function update() {
  const { score, threshold, weights } = chosen();
  const same = score >= threshold;
  $("#verdict").textContent = `${same ? "Same person" : "Different people"}: ${number(score)} ${same ? "≥" : "<"} ${number(threshold)}`;
  $("#verdict").className = same ? "same" : "different";
  $("#sentence").textContent = answer.sentence && $("#attention").value === answer.attention ? answer.sentence : "";
  if (!weights) return;
  // Of an attention that was not asked for nobody computed what covering would do.
  const drops = $("#attention").value === answer.attention ? answer.drops : undefined;
  $("#covered").hidden = !drops;
  let layer = $("[name=layer]:checked").value;
  if (layer === "drops" && !drops) layer = "none";
  const similarity = answer.similarity_map;
  const maps = [0, 1].map((face) => similarity.map((row, y) => row.map((s, x) => ({
    product: s * weights[y][x], similarity: s, attention: weights[y][x], drops: drops?.[face][y][x], none: 0,
  })[layer])));
  const largest = layer === "similarity" ? 1 : Math.max(1e-9, ...maps.flat(2).map(Math.abs));
  for (const button of document.querySelectorAll(".face button")) {
    const [y, x] = button.dataset.cell.split(",").map(Number);
    const share = maps[button.parentElement.dataset.face][y][x] / largest;
    button.style.background = `rgb(var(--${share < 0 ? "against" : "for"}) / ${0.75 * Math.abs(share)})`;
    button.setAttribute("aria-label", words(y, x, weights));
  }
}

function words(y, x, weights) {
  const s = answer.similarity_map[y][x], w = weights[y][x];
  const drops = $("#attention").value === answer.attention && answer.drops;
  const covered = drops ? `; covered, the score drops by ${number(drops[0][y][x])} (first face), ${number(drops[1][y][x])} (second)` : "";
  return `${facts.parts[y][x]}: similarity ${number(s, 2)}, weight ${number(100 * w, 1)} %, adds ${number(s * w)}${covered}`;
}

function point(y, x) {
  const { weights } = chosen();
  $("#cell").textContent = words(y, x, weights);
  for (const button of document.querySelectorAll(".face button")) {
    button.classList.toggle("twin", button.dataset.cell === `${y},${x}`);
  }
}

async function find() {
  say($("#find-message"), "Searching…");
  $("#hits").replaceChildren();
  const body = new FormData();
  body.append("photo", photos.probe);
  try {
    const found = await ask("find", body);
    say($("#find-message"), found.found ? "Found." : "Nobody reaches the threshold; these come nearest.");
    $("#hits").replaceChildren(...found.hits.map(hitItem));
  } catch (error) {
    say($("#find-message"), error.message, true);
  }
}

function hitItem(hit) {
  const item = document.createElement("li"), image = new Image(), name = document.createElement("strong"), why = document.createElement("div");
  image.src = hit.image;
  image.alt = `the enrolled face of ${hit.person}`;
  name.textContent = `${hit.person}: ${number(hit.score)} ${hit.same ? "≥" : "<"} ${number(hit.threshold)}`;
  name.className = hit.same ? "same" : "different";
  why.textContent = hit.sentence ?? "";
  item.append(image, name, why);
  return item;
}

function choose(tab) {
  for (const name of ["verify", "find"]) {
    $(`#${name}`).hidden = name !== tab;
    $(`#tab-${name}`).setAttribute("aria-selected", name === tab);
  }
}

async function openCamera() {
  const video = $("#shot video");
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    await new Promise((ready) => video.addEventListener("loadeddata", ready, { once: true }));
    $("#shot").hidden = false;
  } catch {
    say($("#message"), "The camera cannot be used; allow it, or choose a photo.", true);
  }
}

function shoot() {
  const video = $("#shot video"), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  video.srcObject.getTracks().forEach((track) => track.stop());
  $("#shot").hidden = true;
  canvas.toBlob((blob) => take("b", blob), "image/jpeg", 0.95);
}

for (const drop of document.querySelectorAll(".drop")) {
  const name = drop.dataset.photo;
  drop.querySelector("input").addEventListener("change", (event) => event.target.files[0] && take(name, event.target.files[0]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files[0]) take(name, event.dataTransfer.files[0]);
  });
}
for (const button of document.querySelectorAll("[data-samples]")) {
  button.addEventListener("click", async () => {
    const names = button.dataset.samples.split(",");
    const files = await Promise.all(names.map(async (name) => new File([await (await fetch(`static/${name}`)).blob()], name)));
    delete photos.b;
    take("a", files[0]);
    take("b", files[1]);
  });
}
$("#camera").addEventListener("click", openCamera);
$("#shot button").addEventListener("click", shoot);
$("#layers").addEventListener("change", update);
$("#attention").addEventListener("change", update);
$("#fmr").addEventListener("input", update);
for (const tab of ["verify", "find"]) $(`#tab-${tab}`).addEventListener("click", () => choose(tab));
const compare = comparison();
await compare.catch((error) => say($("#message"), error.message, true));
$("#tabs").hidden = !facts?.store;
document.body.dataset.ready = "yes";
