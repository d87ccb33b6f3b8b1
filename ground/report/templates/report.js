"use strict";
(async () => {
  const { view, plots } = JSON.parse(document.getElementById("data").textContent);
  const [bands, lines, samples] = view.shape;
  const MISSING = 65535;

  const unpack = ({ scale, offset, codes }) => {
    const text = atob(codes);
    const bytes = Uint8Array.from(text, (one) => one.charCodeAt(0));
    const words = new DataView(bytes.buffer);
    const at = (index) => {
      const code = words.getUint16(2 * index, true);
      return code === MISSING ? NaN : offset + scale * code;
    };
    return (band, line, sample) => at((band * lines + line) * samples + sample);
  };
  const decoded = unpack(view.cubes.decoded);
  const reference = view.cubes.reference ? unpack(view.cubes.reference) : null;

  // Plots: one document of Bokeh for each, by the element that it is in.
  const documents = {};
  for (const [id, item] of Object.entries(plots)) {
    await Bokeh.embed.embed_item(item, id);
    documents[id] = Bokeh.documents[Bokeh.documents.length - 1];
  }

  const slider = document.getElementById("band");
  const what = document.getElementById("what");
  const canvas = document.getElementById("picture");
  const colours = new Image();
  colours.src = view.picture;
  await colours.decode().catch(() => {});
  // Large enough that the cross and the hatching are thin on small scenes.
  const zoom = Math.max(1, Math.min(8, Math.round(640 / Math.max(view.samples, view.lines))));
  const shrink = Math.max(1, Math.max(view.samples, view.lines) / 1024);
  canvas.width = Math.ceil((view.samples * zoom) / shrink);
  canvas.height = Math.ceil((view.lines * zoom) / shrink);
  const paint = canvas.getContext("2d");
  const perLine = canvas.height / view.lines;
  const perSample = canvas.width / view.samples;
  // On the grid of pixels that keep their spectra.
  const onGrid = (place, count) => Math.min(Math.floor(place / view.pixels), count - 1) * view.pixels;
  let cross = { line: 0, sample: 0 };

  const name = (index) => {
    const number = view.bandNumbers[index];
    const place = view.positions[number];
    return view.axis.startsWith("wavelength") ? `${number} (${place} ${view.axis.split(" in ")[1] || ""})` : `${number}`;
  };

  const scale = document.getElementById("scale");
  const number = (value) => (Number.isNaN(value) ? "no data" : String(Number(value.toPrecision(7))));
  const small = document.createElement("canvas");
  small.width = samples;
  small.height = lines;
  const difference = (band, line, sample) => decoded(band, line, sample) - reference(band, line, sample);
  const drawBand = (values, low, high, signed) => {
    const band = Number(slider.value);
    const pixels = new ImageData(samples, lines);
    for (let line = 0, at = 0; line < lines; line += 1) {
      for (let sample = 0; sample < samples; sample += 1, at += 4) {
        const value = values(band, line, sample);
        if (Number.isNaN(value)) continue;
        const level = Math.max(0, Math.min(1, (value - low) / (high - low)));
        if (signed) {
          // Blue below, white at zero, orange above.
          const strength = Math.abs(2 * level - 1);
          const [red, green, blue] = level < 0.5 ? [31, 111, 178] : [224, 130, 20];
          pixels.data[at] = 255 - (255 - red) * strength;
          pixels.data[at + 1] = 255 - (255 - green) * strength;
          pixels.data[at + 2] = 255 - (255 - blue) * strength;
        } else {
          pixels.data[at] = pixels.data[at + 1] = pixels.data[at + 2] = 255 * level;
        }
        pixels.data[at + 3] = 255;
      }
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    paint.drawImage(small, 0, 0, samples * view.pixels * perSample, lines * view.pixels * perLine);
  };

  const draw = () => {
    paint.imageSmoothingEnabled = false;
    paint.clearRect(0, 0, canvas.width, canvas.height);
    const band = Number(slider.value);
    if (what.value === "colours") {
      paint.drawImage(colours, 0, 0, canvas.width, canvas.height);
      scale.textContent = "Each colour is stretched between percentiles 1 and 99 of its band.";
    } else if (what.value === "difference") {
      const errors = [];
      for (let line = 0; line < lines; line += 1) {
        for (let sample = 0; sample < samples; sample += 1) {
          const error = Math.abs(difference(band, line, sample));
          if (!Number.isNaN(error)) errors.push(error);
        }
      }
      errors.sort((first, second) => first - second);
      const bound = errors[Math.floor(0.99 * (errors.length - 1))] || 1;
      drawBand(difference, -bound, bound, true);
      scale.textContent = `Blue ${number(-bound)} or less, white 0, orange ${number(bound)} or more.`;
    } else {
      drawBand(what.value === "reference" ? reference : decoded, view.low[band], view.high[band], false);
      scale.textContent = `Black ${number(view.low[band])} or less, white ${number(view.high[band])} or more.`;
    }
    hatch();
    for (const [colour, width] of [["#ffffff", 5], ["#111111", 2]]) {
      const x = (cross.sample + 0.5) * perSample;
      const y = (cross.line + 0.5) * perLine;
      paint.strokeStyle = colour;
      paint.lineWidth = width;
      paint.lineCap = "round";
      paint.beginPath();
      paint.moveTo(x - 14, y); paint.lineTo(x - 3, y); paint.moveTo(x + 3, y); paint.lineTo(x + 14, y);
      paint.moveTo(x, y - 14); paint.lineTo(x, y - 3); paint.moveTo(x, y + 3); paint.lineTo(x, y + 14);
      paint.stroke();
    }
  };

  const hatch = () => {
    for (const [start, stop] of view.damage) {
      const top = start * perLine;
      const height = (stop - start) * perLine;
      paint.save();
      paint.beginPath();
      paint.rect(0, top, canvas.width, height);
      paint.clip();
      // On a light ground, whatever lies below.
      paint.fillStyle = "rgba(255,255,255,0.55)";
      paint.fill();
      paint.beginPath();
      for (let x = -height; x < canvas.width; x += 14) {
        paint.moveTo(x, top + height);
        paint.lineTo(x + height, top);
      }
      paint.strokeStyle = "#c1272d";
      paint.lineWidth = 2;
      paint.stroke();
      paint.strokeRect(0, top, canvas.width, height);
      paint.restore();
    }
  };

  const showSpectrum = () => {
    const line = cross.line / view.pixels;
    const sample = cross.sample / view.pixels;
    const found = { decoded: [] };
    if (reference) found.reference = [];
    for (let band = 0; band < bands; band += 1) {
      found.decoded.push(decoded(band, line, sample));
      if (reference) found.reference.push(reference(band, line, sample));
    }
    const source = documents.spectrum.get_model_by_name("spectrum-source");
    source.data = { x: source.data.x, ...found };
    const damaged = view.damage.some(([start, stop]) => cross.line >= start && cross.line < stop);
    document.getElementById("pixel").textContent =
      `Line ${cross.line}, sample ${cross.sample}` + (damaged ? ": in a damaged strip" : "");
    const rows = found.decoded.map((value, band) => {
      const row = document.createElement("tr");
      const cells = [view.bandNumbers[band], view.positions[view.bandNumbers[band]], number(value)];
      if (reference) cells.push(number(found.reference[band]));
      for (const cell of cells) row.appendChild(document.createElement("td")).textContent = cell;
      return row;
    });
    document.querySelector("#spectrum-table tbody").replaceChildren(...rows);
  };

  const showBand = () => {
    const index = Number(slider.value);
    document.getElementById("band-name").textContent = name(index);
    slider.setAttribute("aria-valuetext", `band ${name(index)}`);
    for (const id of ["spectrum", "psnr"]) {
      const mark = documents[id] && documents[id].get_model_by_name("band");
      if (mark) mark.location = view.positions[view.bandNumbers[index]];
    }
  };

  const move = (line, sample) => {
    cross = {
      line: onGrid(Math.max(0, line), lines),
      sample: onGrid(Math.max(0, sample), samples),
    };
    draw();
    showSpectrum();
  };

  slider.addEventListener("input", () => {
    if (what.value === "colours") what.value = "decoded";
    showBand();
    draw();
  });
  what.addEventListener("change", draw);
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    move(
      Math.floor(((event.clientY - box.top) / box.height) * view.lines),
      Math.floor(((event.clientX - box.left) / box.width) * view.samples),
    );
  });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [line, sample] = steps[event.key].map((one) => one * view.pixels * (event.shiftKey ? 10 : 1));
    move(cross.line + line, cross.sample + sample);
  });

  // Paper has no use for what is folded away.
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
  showBand();
  move(view.lines / 2, view.samples / 2);
  document.body.dataset.ready = "yes";
})().catch((error) => {
  document.body.dataset.ready = "failed";
  const note = document.createElement("p");
  note.className = "damage";
  note.textContent = `This page could not be drawn: ${error}`;
  document.querySelector("main").prepend(note);
});
