import { parseAddress, runAddress, takeAddress } from '../address';

const ID = '0123456789abcdef0123456789abcdef';

describe('parseAddress', () => {
  it('reads what runAddress makes', () => {
    expect(parseAddress(runAddress(ID))).toEqual({
      kind: 'runs',
      id: ID,
      tab: null
    });
    expect(parseAddress(runAddress(ID, 'logs'))?.tab).toBe('logs');
  });

  it.each([
    '',
    'runs/',
    'runs/12',
    `runs/${ID}x`,
    `models/${ID}`,
    `runs/${ID}/../x`,
    `javascript:runs/${ID}`,
    `//evil/runs/${ID}`
  ])('refuses %p', text => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe('takeAddress', () => {
  it('takes the address and leaves the rest', () => {
    expect(takeAddress(`?a=1&mlws=runs%2F${ID}&reset`)).toEqual({
      address: `runs/${ID}`,
      rest: '?a=1&reset='
    });
    expect(takeAddress(`?mlws=runs/${ID}`).rest).toBe('');
    expect(takeAddress('?x=1').address).toBeNull();
  });
});
