// The page of the unlock prototype: enroll three frames of the camera, then try with three.

import { load } from "./on-device.js";
import { enrollOwner, problemsOf, judge } from "./owner.js";

const FRAMES = 3, PAUSE = 300; // milliseconds

const $ = (selector) => document.querySelector(selector);
const video = $("video"), buttons = document.querySelectorAll("button");
let owner; // gone when the page is

function say(text, kind = "") {
  $("#message").textContent = text;
  $("#message").className = kind;
}

// Grids of frames in which nothing is wrong.
async function look(device) {
  const grids = [];
  for (let i = 0; i < FRAMES; i++) {
    say(`Looking: frame ${i + 1} of ${FRAMES}…`);
    await new Promise((done) => setTimeout(done, PAUSE));
    const face = await device.enroll(video, "the frame");
    const [problem] = problemsOf(face);
    if (problem) throw new Error(`the frame ${problem}`);
    grids.push(face.grid);
  }
  return grids;
}

async function enroll(device, thresholds) {
  const grids = await look(device);
  owner = await enrollOwner(grids, device.compare, thresholds["0.01"]);
  say(`Enrolled ${FRAMES} frames. Now try.`);
}

async function attempt(device, thresholds, parts) {
  const grids = await look(device);
  const limits = { threshold: thresholds["0.001"], near: thresholds["0.01"] };
  const { unlocked, scores, matching, hint } = await judge(owner, grids, device.compare, limits, parts);
  const counted = `${matching} of ${scores.length} frames match`;
  if (unlocked) say(`Unlocked: ${counted}.`, "same");
  else say(`Locked: ${counted}${hint && `; ${hint}`}.`, "different");
}

async function start() {
  const facts = await (await fetch("presets")).json();
  const device = await load(facts), thresholds = facts.thresholds[facts.attention];
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  for (const [name, action] of Object.entries({ enroll, attempt })) {
    $(`#${name}`).addEventListener("click", async () => {
      for (const button of buttons) button.disabled = true;
      await action(device, thresholds, facts.parts).catch((error) => say(error.message, "error"));
      $("#enroll").disabled = false;
      $("#attempt").disabled = !owner;
    });
  }
  $("#enroll").disabled = false;
  say("Look at the camera, and enroll.");
}

start().catch((error) => say(`this page cannot work here (${error.message}); allow the camera, or try another browser`, "error"));
