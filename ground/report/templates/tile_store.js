"use strict";
// Tiles of a folder beside the page. They are scripts: a page that was opened from a disk may run those that lie beside
// it, and read no other file. Each calls bandfoldTile with its samples.
const MISSING = 65535;

function tileStore(view, arrived, failed) {
  const { folder, key, edge, group, levels } = view.tiles;
  const bandsOf = { decoded: view.positions.length, reference: view.positions.length, sam: 1, rmse: 1 };
  const MOST_HELD = 192; // of half a megabyte
  const AT_ONCE = 8;
  const held = new Map(); // samples by the name of their tile; those used last are at the end
  const loading = new Map(); // promises by name
  const handed = new Map();
  let wanted = [];
  window.bandfoldTile = (from, name, packed) => handed.set(name, from === key ? packed : null);

  const shapeOf = (level) => {
    const step = 2 ** (levels - 1 - level);
    return { step, lines: Math.ceil(view.lines / step), samples: Math.ceil(view.samples / step) };
  };
  const nameOf = (cube, level, band, column, row) =>
    `${cube}/${level}/${Math.floor(band / group)}/${column}_${row}`;

  const unpack = async (name, { scale, offset, codes }) => {
    const [cube, level, first, place] = name.split("/");
    const [column, row] = place.split("_").map(Number);
    const whole = shapeOf(Number(level));
    const width = Math.min(edge, whole.samples - column * edge);
    const height = Math.min(edge, whole.lines - row * edge);
    const count = Math.min(group, bandsOf[cube] - first * group) * width * height;
    const bytes = Uint8Array.from(atob(codes), (one) => one.charCodeAt(0));
    const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const halves = new Uint8Array(await new Response(inflated).arrayBuffer());
    const words = new Uint16Array(count);
    for (let at = 0; at < count; at += 1) words[at] = (halves[at] << 8) | halves[count + at];
    const value = (band, line, sample) => {
      const code = words[((band % group) * height + line) * width + sample];
      return code === MISSING ? NaN : offset + scale * code;
    };
    return { value, width, height };
  };

  const run = (name) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const end = () => {
        script.remove();
        const packed = handed.get(name);
        handed.delete(name);
        if (packed) resolve(packed);
        else reject(new Error(`tile ${name} is missing, or belongs to another page`));
      };
      script.onload = script.onerror = end;
      script.src = `${folder}/${name}.js`;
      document.head.append(script);
    });

  // A promise of the samples of a tile.
  const load = (name) => {
    if (held.has(name)) return Promise.resolve(held.get(name));
    if (!loading.has(name)) {
      const loaded = run(name)
        .then((packed) => unpack(name, packed))
        .then((tile) => {
          held.set(name, tile);
          while (held.size > MOST_HELD) held.delete(held.keys().next().value);
          return tile;
        })
        .finally(() => {
          loading.delete(name);
          next();
        });
      loading.set(name, loaded);
    }
    return loading.get(name);
  };

  // What is wanted no more is not waited for.
  const next = () => {
    while (loading.size < AT_ONCE && wanted.length) {
      const name = wanted.shift();
      if (!held.has(name) && !loading.has(name)) load(name).then(arrived, failed);
    }
  };

  return {
    edge,
    levels,
    shapeOf,
    nameOf,
    load,
    // A tile that is there, or nothing.
    get: (name) => {
      const tile = held.get(name);
      if (tile) {
        held.delete(name);
        held.set(name, tile);
      }
      return tile;
    },
    // Load these, in this order, in place of those that were wanted before.
    want: (names) => {
      wanted = names;
      next();
    },
    // Samples of all bands of a pixel.
    spectrum: async (cube, line, sample) => {
      const level = levels - 1;
      const [row, column] = [Math.floor(line / edge), Math.floor(sample / edge)];
      const parts = [];
      for (let band = 0; band < bandsOf[cube]; band += group)
        parts.push(load(nameOf(cube, level, band, column, row)));
      const tiles = await Promise.all(parts);
      return view.positions.map((_, band) =>
        tiles[Math.floor(band / group)].value(band, line - row * edge, sample - column * edge));
    },
  };
}
