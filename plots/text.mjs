// How wide a text is, where there is no screen to ask: the advances of DejaVu Sans in 1/100 em.

const groups = [
  [28, "ijl'|‘’"], [32, ',.·'], [34, ':; '], [37, 'I/\\-'], [39, '()ftr[]'], [41, 'r'], [46, '"'], [52, 's*²ˢᶠ'],
  [55, 'czL'], [59, 'vxyk'], [61, 'aeoEFTZYJ'], [64, '0123456789bdghnpqu_–?$±'], [68, 'ABCKPRSVX'], [75, 'DGHNOQU'],
  [82, 'wm%+=<>~÷×#'], [90, 'M@W&µ→'],
];
const widths = new Map(groups.flatMap(([width, letters]) => [...letters].map(letter => [letter, width])));

/** In pixels, for letters of so many pixels. Unknown ones count as wide. */
export function widthOf(text, size) {
  let width = 0;
  for (const letter of String(text)) width += widths.get(letter) ?? (letter < '\u0250' ? 64 : 100);
  return width * size / 96;  // a little more, since other fonts take DejaVu's place
}
