"use strict";
// What can be shown: from which cubes it comes, how a value is coloured, and how that is said.

const VIRIDIS = [[68, 1, 84], [71, 44, 123], [58, 82, 139], [44, 114, 142], [32, 144, 140], [40, 174, 127], [94, 201, 97],
  [173, 220, 48], [253, 231, 36]];

const told = (value) => (Number.isNaN(value) ? "no data" : String(Number(value.toPrecision(7))));
const within = (value, low, high) => Math.max(0, Math.min(1, (value - low) / (high - low)));

// Each puts the colour of a value into the pixels from a place on.
const greys = (low, high) => (pixels, at, value) => {
  pixels[at] = pixels[at + 1] = pixels[at + 2] = 255 * within(value, low, high);
};
const signed = (bound) => (pixels, at, value) => {
  // Blue below, white at zero, orange above.
  const level = within(value, -bound, bound);
  const strength = Math.abs(2 * level - 1);
  const full = level < 0.5 ? [31, 111, 178] : [224, 130, 20];
  for (let n = 0; n < 3; n += 1) pixels[at + n] = 255 - (255 - full[n]) * strength;
};
const ramp = (high) => (pixels, at, value) => {
  const place = within(value, 0, high) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(place), VIRIDIS.length - 2);
  for (let n = 0; n < 3; n += 1)
    pixels[at + n] = VIRIDIS[below][n] + (place - below) * (VIRIDIS[below + 1][n] - VIRIDIS[below][n]);
};

// Pixels of some lines and samples: each of `parts` has a band of its own, and there is no data where one has none.
function shaded(width, height, parts) {
  const image = new ImageData(width, height);
  for (let line = 0, at = 0; line < height; line += 1) {
    for (let sample = 0; sample < width; sample += 1, at += 4) {
      const values = parts.map((part) => part.value(line, sample));
      if (values.some(Number.isNaN)) continue;
      parts.forEach((part, n) => part.paint(image.data, at, values[n]));
      image.data[at + 3] = 255;
    }
  }
  return image;
}

// Draw pixels into a rectangle. They are kept as numbers: canvases that are drawn once stay blank when the process or
// the driver that held them is started anew.
function drawPixels(paint, image, left, top, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  paint.drawImage(canvas, left, top, width, height);
}

// What is shown as `what`, of a band: sources of its parts, and words for its scale. Without tiles bands are counted
// among those that the page keeps.
function layerOf(what, index, view, keptErrors) {
  const scales = view.tiles || view;
  const grey = [scales.low[index], scales.high[index]];
  if (what === "colours") {
    const parts = view.tiles && view.tiles.colours.map((band, n) => {
      const whole = greys(view.tiles.colourLow[n], view.tiles.colourHigh[n]);
      const one = new Uint8ClampedArray(3);
      const paint = (pixels, at, value) => {
        whole(one, 0, value);
        pixels[at + n] = one[0];
      };
      return { cubes: ["decoded"], band, paint };
    });
    return { parts, told: "Each colour is stretched between percentiles 1 and 99 of its band." };
  }
  if (what === "difference") {
    const bound = view.tiles ? view.tiles.errors[index] : keptErrors(index);
    return {
      parts: [{ cubes: ["decoded", "reference"], band: index, paint: signed(bound) }],
      told: `Blue ${told(-bound)} or less, white 0, orange ${told(bound)} or more.`,
    };
  }
  if (what === "sam" || what === "rmse") {
    const high = view.tiles[what];
    return {
      parts: [{ cubes: [what], band: 0, paint: ramp(high) }],
      told: `Violet 0, yellow ${told(high)}${what === "sam" ? " degrees" : ""} or more.`,
    };
  }
  return {
    parts: [{ cubes: [what], band: index, paint: greys(...grey) }],
    told: `Black ${told(grey[0])} or less, white ${told(grey[1])} or more.`,
  };
}
