"use strict";
// Draws a layer into the canvas: from what the page keeps, and from tiles where there are any.

function picture(canvas, view, colours, kept, store, port) {
  const MOST_SHADED = 256;
  const [, lines, samples] = view.shape;
  const paint = canvas.getContext("2d");
  const shadedTiles = new Map(); // their pixels by what they show
  let keptBand = { name: "", image: null };

  const valueOf = (cubes, read) => {
    if (cubes.length === 1) return (line, sample) => read(cubes[0], line, sample);
    return (line, sample) => read(cubes[0], line, sample) - read(cubes[1], line, sample);
  };

  const drawKept = (name, parts) => {
    if (keptBand.name !== name) {
      const part = parts[0];
      const value = valueOf(part.cubes, (cube, line, sample) => kept[cube](part.band, line, sample));
      keptBand = { name, image: shaded(samples, lines, [{ ...part, value }]) };
    }
    const side = view.pixels * port.shown.scale;
    drawPixels(paint, keptBand.image, port.toX(0), port.toY(0), samples * side, lines * side);
  };

  // The tiles of a level that are to be seen: column and row.
  const seen = (level) => {
    const { step, ...whole } = store.shapeOf(level);
    const range = port.range();
    const ends = ([from, to], length) => [
      Math.max(0, Math.floor(from / step / store.edge)),
      Math.min(Math.ceil(length / store.edge), Math.ceil(to / step / store.edge)),
    ];
    const [top, bottom] = ends(range.lines, whole.lines);
    const [left, right] = ends(range.samples, whole.samples);
    const found = [];
    for (let row = top; row < bottom; row += 1)
      for (let column = left; column < right; column += 1) found.push([column, row]);
    return found;
  };

  // A tile in colours; nothing as long as not all of its samples are there.
  const shadedTile = (name, parts, level, column, row) => {
    const id = `${name}/${level}/${column}_${row}`;
    if (!shadedTiles.has(id)) {
      const ready = parts.map((part) => {
        const tiles = Object.fromEntries(part.cubes.map((cube) => [
          cube, store.get(store.nameOf(cube, level, part.band, column, row)),
        ]));
        const read = (cube, line, sample) => tiles[cube].value(part.band, line, sample);
        return { ...part, one: tiles[part.cubes[0]], value: valueOf(part.cubes, read), tiles: Object.values(tiles) };
      });
      if (!ready.every((part) => part.tiles.every(Boolean))) return null;
      shadedTiles.set(id, shaded(ready[0].one.width, ready[0].one.height, ready));
      if (shadedTiles.size > MOST_SHADED) shadedTiles.delete(shadedTiles.keys().next().value);
    }
    return shadedTiles.get(id);
  };

  // Coarse tiles first, so that there is something to see soon.
  const drawTiles = (name, parts) => {
    let finest = 0;
    while (finest < store.levels - 1 && store.shapeOf(finest).step * port.shown.scale > 1.5) finest += 1;
    const wanted = [];
    for (let level = 0; level <= finest; level += 1) {
      const { step } = store.shapeOf(level);
      const side = step * store.edge * port.shown.scale;
      for (const [column, row] of seen(level)) {
        const tile = shadedTile(name, parts, level, column, row);
        if (tile) {
          const [x, y] = [port.toX(column * step * store.edge), port.toY(row * step * store.edge)];
          // Whole pixels: there would be seams between tiles.
          const [left, top] = [Math.round(x), Math.round(y)];
          const right = Math.round(x + (side * tile.width) / store.edge);
          const bottom = Math.round(y + (side * tile.height) / store.edge);
          drawPixels(paint, tile, left, top, right - left, bottom - top);
        } else if (level === 0 || level === finest) {
          for (const part of parts)
            for (const cube of part.cubes) wanted.push(store.nameOf(cube, level, part.band, column, row));
        }
      }
    }
    const awaited = wanted.length;
    store.want(wanted); // takes names away
    return awaited;
  };

  const hatch = () => {
    for (const [start, stop] of view.damage) {
      const top = Math.max(port.toY(start), -1);
      const bottom = Math.min(port.toY(stop), canvas.height + 1);
      const [left, right] = [Math.max(port.toX(0), -1), Math.min(port.toX(view.samples), canvas.width + 1)];
      if (bottom <= top) continue;
      paint.save();
      paint.beginPath();
      paint.rect(left, top, right - left, bottom - top);
      paint.clip();
      // On a light ground, whatever lies below.
      paint.fillStyle = "rgba(255,255,255,0.55)";
      paint.fill();
      paint.beginPath();
      for (let x = left + top - bottom; x < right; x += 14) {
        paint.moveTo(x, bottom);
        paint.lineTo(x + bottom - top, top);
      }
      paint.strokeStyle = "#c1272d";
      paint.lineWidth = 2;
      paint.stroke();
      paint.strokeRect(left, top, right - left, bottom - top);
      paint.restore();
    }
  };

  const drawCross = ({ line, sample }) => {
    const [x, y] = [port.toX(sample + 0.5), port.toY(line + 0.5)];
    for (const [colour, width] of [["#ffffff", 5], ["#111111", 2]]) {
      paint.strokeStyle = colour;
      paint.lineWidth = width;
      paint.lineCap = "round";
      paint.beginPath();
      paint.moveTo(x - 14, y); paint.lineTo(x - 3, y); paint.moveTo(x + 3, y); paint.lineTo(x + 14, y);
      paint.moveTo(x, y - 14); paint.lineTo(x, y - 3); paint.moveTo(x, y + 3); paint.lineTo(x, y + 14);
      paint.stroke();
    }
  };

  // Draw all of it; returns how many tiles are still awaited.
  return (what, band, parts, cross) => {
    paint.imageSmoothingEnabled = false;
    paint.clearRect(0, 0, canvas.width, canvas.height);
    const name = what === "colours" ? what : `${what} ${band}`;
    let awaited = 0;
    if (what === "colours") {
      const [width, height] = [view.samples * port.shown.scale, view.lines * port.shown.scale];
      paint.drawImage(colours, port.toX(0), port.toY(0), width, height);
      const coarse = view.pictureStep * port.shown.scale > 1.5 && view.pictureStep > 1;
      if (store && coarse) awaited = drawTiles(name, parts);
    } else if (store) {
      awaited = drawTiles(name, parts);
    } else {
      drawKept(name, parts);
    }
    hatch();
    drawCross(cross);
    return awaited;
  };
}
