"use strict";
(async () => {
  const { view, plots } = JSON.parse(document.getElementById("data").textContent);
  const [bands, lines, samples] = view.shape;
  const element = (id) => document.getElementById(id);

  // The samples that the page keeps, by band, line and sample among them.
  const unpack = ({ scale, offset, codes }) => {
    const bytes = Uint8Array.from(atob(codes), (one) => one.charCodeAt(0));
    const words = new DataView(bytes.buffer);
    return (band, line, sample) => {
      const code = words.getUint16(2 * ((band * lines + line) * samples + sample), true);
      return code === MISSING ? NaN : offset + scale * code;
    };
  };
  const kept = Object.fromEntries(Object.entries(view.cubes).map(([name, cube]) => [name, unpack(cube)]));

  // Plots: one document of Bokeh for each, by the element that it is in.
  const documents = {};
  for (const [id, item] of Object.entries(plots)) {
    await Bokeh.embed.embed_item(item, id);
    documents[id] = Bokeh.documents[Bokeh.documents.length - 1];
  }

  const slider = element("band");
  const what = element("what");
  const canvas = element("picture");
  let store = null;
  let broken = false;
  const complain = () => {
    broken = true;
    element("tiles-note").hidden = false;
  };
  if (view.tiles) {
    store = tileStore(view, () => redraw(), complain);
    // Without the folder the page shows what it keeps.
    await store.load(store.nameOf("decoded", 0, 0, 0, 0)).catch(() => {
      view.tiles = store = null;
      complain();
      for (const one of what.querySelectorAll("[data-tiled]")) one.remove();
    });
  }
  // Bands by the number of the slider, and the pixels that have a spectrum.
  const bandNumbers = store ? view.positions.map((_, band) => band) : view.bandNumbers;
  const pixels = store ? 1 : view.pixels;
  slider.max = bandNumbers.length - 1;

  const colours = new Image();
  colours.src = view.picture;
  await colours.decode().catch(() => {});
  // Large enough that the cross and the hatching are thin on small scenes.
  const larger = Math.max(1, Math.min(8, Math.round(640 / Math.max(view.samples, view.lines))));
  const shrink = Math.max(1, Math.max(view.samples, view.lines) / 1024);
  const [across, down] = [view.samples, view.lines].map((length) => Math.ceil((length * larger) / shrink));
  // Room to zoom into scenes of many lines and few samples.
  canvas.width = Math.max(across, Math.ceil(down / 2));
  canvas.height = Math.max(down, Math.ceil(across / 2));
  let cross = { line: 0, sample: 0 };
  let due = 0;
  const redraw = () => {
    due = due || requestAnimationFrame(() => draw());
  };
  const port = viewport(canvas, view, redraw);
  const paint = picture(canvas, view, colours, kept, store, port);

  // The 99th percentile of the errors of a band that the page keeps.
  const keptErrors = (band) => {
    const errors = [];
    for (let line = 0; line < lines; line += 1) {
      for (let sample = 0; sample < samples; sample += 1) {
        const error = Math.abs(kept.decoded(band, line, sample) - kept.reference(band, line, sample));
        if (!Number.isNaN(error)) errors.push(error);
      }
    }
    errors.sort((first, second) => first - second);
    return errors[Math.floor(0.99 * (errors.length - 1))] || 1;
  };
  const layers = {};
  const draw = () => {
    cancelAnimationFrame(due);
    due = 0;
    const band = Number(slider.value);
    const name = `${what.value} ${band}`;
    layers[name] = layers[name] || layerOf(what.value, band, view, keptErrors);
    const awaited = paint(what.value, band, layers[name].parts, cross);
    element("scale").textContent = layers[name].told;
    const range = port.range();
    const [top, left] = [range.lines, range.samples].map(([start]) => Math.floor(start));
    const [bottom, right] = [range.lines, range.samples].map(([, end]) => Math.ceil(end));
    element("shown").textContent = port.isWhole() ? "whole scene" : `lines ${top}:${bottom}, samples ${left}:${right}`;
    element("zoom-whole").disabled = element("zoom-out").disabled = port.isWhole();
    canvas.dataset.awaited = broken ? 0 : awaited;
  };

  const nameOf = (index) => {
    const number = bandNumbers[index];
    const place = view.positions[number];
    return view.axis.startsWith("wavelength") ? `${number} (${place} ${view.axis.split(" in ")[1] || ""})` : `${number}`;
  };

  const spectrumOf = async (cube, { line, sample }) => {
    if (store && !broken) return store.spectrum(cube, line, sample);
    return view.bandNumbers.map((_, band) =>
      kept[cube](band, Math.floor(line / view.pixels), Math.floor(sample / view.pixels)));
  };
  const showSpectrum = async () => {
    const place = cross;
    const found = {};
    canvas.dataset.spectrum = "awaited";
    for (const cube of Object.keys(kept)) found[cube] = await spectrumOf(cube, place).catch(complain);
    // The cross has moved on, or tiles are missing.
    if (place !== cross || Object.values(found).some((one) => !one)) return;
    const numbers = found.decoded.length === view.positions.length ? view.positions.map((_, band) => band) : view.bandNumbers;
    documents.spectrum.get_model_by_name("spectrum-source").data = {
      x: numbers.map((number) => view.positions[number]), ...found,
    };
    const damaged = view.damage.some(([start, stop]) => place.line >= start && place.line < stop);
    element("pixel").textContent = `Line ${place.line}, sample ${place.sample}` + (damaged ? ": in a damaged strip" : "");
    const rows = found.decoded.map((value, band) => {
      const row = document.createElement("tr");
      const cells = [numbers[band], view.positions[numbers[band]], told(value)];
      if (found.reference) cells.push(told(found.reference[band]));
      for (const cell of cells) row.appendChild(document.createElement("td")).textContent = cell;
      return row;
    });
    document.querySelector("#spectrum-table tbody").replaceChildren(...rows);
    canvas.dataset.spectrum = "shown";
  };

  const showBand = () => {
    const index = Number(slider.value);
    element("band-name").textContent = nameOf(index);
    slider.setAttribute("aria-valuetext", `band ${nameOf(index)}`);
    for (const id of ["spectrum", "psnr"]) {
      const mark = documents[id] && documents[id].get_model_by_name("band");
      if (mark) mark.location = view.positions[bandNumbers[index]];
    }
  };

  const move = (line, sample) => {
    const onGrid = (place, length) => {
      const last = Math.ceil(length / pixels) - 1;
      return Math.max(0, Math.min(Math.floor(place / pixels), last)) * pixels;
    };
    cross = { line: onGrid(line, view.lines), sample: onGrid(sample, view.samples) };
    draw();
    return showSpectrum();
  };

  slider.addEventListener("input", () => {
    if (!["decoded", "reference", "difference"].includes(what.value)) what.value = "decoded";
    showBand();
    draw();
  });
  what.addEventListener("change", draw);
  canvas.addEventListener("contextrestored", redraw);
  canvas.addEventListener("click", (event) => {
    if (!port.dragged()) move(...port.place(event));
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const zooms = { "+": 2, "=": 2, "-": 0.5 };
    if (event.key in steps) {
      const [line, sample] = steps[event.key].map((one) => one * pixels * (event.shiftKey ? 10 : 1));
      move(cross.line + line, cross.sample + sample);
      port.reveal(cross.line, cross.sample);
    } else if (event.key in zooms) port.zoomAround(zooms[event.key], cross.line, cross.sample);
    else if (event.key === "0") port.showWhole();
    else return;
    event.preventDefault();
  });
  element("zoom-in").addEventListener("click", () => port.zoomAround(2, cross.line, cross.sample));
  element("zoom-out").addEventListener("click", () => port.zoomAround(0.5, cross.line, cross.sample));
  element("zoom-whole").addEventListener("click", () => port.showWhole());

  // Paper has no use for what is folded away.
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
  showBand();
  await move(view.lines / 2, view.samples / 2);
  document.body.dataset.ready = "yes";
})().catch((error) => {
  document.body.dataset.ready = "failed";
  const note = document.createElement("p");
  note.className = "damage";
  note.textContent = `This page could not be drawn: ${error}`;
  document.querySelector("main").prepend(note);
});
