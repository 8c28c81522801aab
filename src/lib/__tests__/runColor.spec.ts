import { RUN_PALETTE, colorFor, runStyles } from '../runColor';

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map(i => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [
    number,
    number
  ];
  return (light + 0.05) / (dark + 0.05);
}

describe('colorFor', () => {
  it('is stable and stays in the palette', () => {
    expect(colorFor('run-1')).toBe(colorFor('run-1'));
    for (let i = 0; i < 100; i += 1) {
      expect(RUN_PALETTE).toContain(colorFor(`run-${i}`));
    }
  });

  it('uses the whole palette', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 200; i += 1) {
      seen.add(colorFor(`run-${i}`));
    }
    expect(seen.size).toBe(RUN_PALETTE.length);
  });

  it.each(RUN_PALETTE)('%s has 3:1 contrast on both themes', color => {
    expect(contrast(color, '#ffffff')).toBeGreaterThanOrEqual(3);
    expect(contrast(color, '#111111')).toBeGreaterThanOrEqual(3);
  });
});

describe('runStyles', () => {
  it('tells runs of one colour apart by their dashes', () => {
    const ids = Array.from({ length: 16 }, (_, i) => `run-${i}`);
    const looks = [...runStyles(ids).values()].map(
      style => `${style.color} ${style.dash.join(',')}`
    );
    expect(new Set(looks).size).toBe(ids.length);
  });
});
