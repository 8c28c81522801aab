import { treePositions } from '../treePositions';

describe('treePositions', () => {
  it('counts rows among their siblings, and passes over what is no item', () => {
    const words = treePositions([1, 2, 2, 3, 2, null, 1, 2, 1]).map(
      place => place && `${place.pos}/${place.size}`
    );
    expect(words).toEqual([
      '1/3',
      '1/3',
      '2/3',
      '1/1',
      '3/3',
      null,
      '2/3',
      '1/1',
      '3/3'
    ]);
  });
});
