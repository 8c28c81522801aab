import {
  linkedAddress,
  parseAddress,
  runAddress,
  takeAddress
} from '../address';

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

describe('linkedAddress', () => {
  const BASE = 'https://hub.example.org/user/me/';
  const HERE = `${BASE}lab/tree/a.ipynb`;

  it.each([
    `/user/me/mlws/open/runs/${ID}`,
    `/user/me/mlws/open/runs/${ID}/logs`,
    `${BASE}mlws/open/runs/${ID}`,
    `${BASE}mlws/open/runs/${ID}?x=1#y`,
    `http://127.0.0.1:8888/user/me/mlws/open/runs/${ID}`,
    `http://localhost:1/user/me/mlws/open/runs/${ID}`,
    `http://[::1]:8888/user/me/mlws/open/runs/${ID}`
  ])('finds the page in %p', href => {
    const address = linkedAddress(href, BASE, HERE);
    expect(address).toMatch(`runs/${ID}`);
    expect(href).toContain(`/mlws/open/${address}`);
  });

  it.each([
    '',
    '#mlws/open',
    `/mlws/open/runs/${ID}`,
    `/user/you/mlws/open/runs/${ID}`,
    `/user/me/mlws/api/v1/runs/${ID}`,
    '/user/me/mlws/open/runs/12',
    `/user/me/mlws/open/../../you/mlws/open/runs/${ID}`,
    `https://evil.example.org/user/me/mlws/open/runs/${ID}`,
    `https://hub.example.org:8443/user/me/mlws/open/runs/${ID}`,
    `https://127.0.0.1.example.org/user/me/mlws/open/runs/${ID}`,
    `//evil.example.org/user/me/mlws/open/runs/${ID}`,
    `javascript:/user/me/mlws/open/runs/${ID}`,
    `file:///user/me/mlws/open/runs/${ID}`,
    'http://[broken'
  ])('leaves %p alone', href => {
    expect(linkedAddress(href, BASE, HERE)).toBeNull();
  });

  it('knows a server without a base path', () => {
    const base = 'http://localhost:8888/';
    expect(linkedAddress(`/mlws/open/runs/${ID}`, base, base)).toBe(
      `runs/${ID}`
    );
    expect(linkedAddress(`/x/mlws/open/runs/${ID}`, base, base)).toBeNull();
  });
});
