import {
  computeAddress,
  experimentAddress,
  hasPage,
  linkedAddress,
  pageName,
  parseAddress,
  runAddress,
  takeAddress,
  workspaceAddress
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

  it('reads experiments and workspaces', () => {
    expect(parseAddress(experimentAddress('17'))).toEqual({
      kind: 'experiments',
      id: '17',
      tab: null
    });
    const place = parseAddress(workspaceAddress('my_team-1'));
    const page = parseAddress(workspaceAddress('my_team-1', 'details'));
    expect(place).toEqual({ kind: 'workspaces', id: 'my_team-1', tab: null });
    expect(page?.tab).toBe('details');
    expect([place, page].map(one => one && hasPage(one))).toEqual([
      false,
      true
    ]);
  });

  it('reads the page of a compute target, whose name may have a point', () => {
    for (const name of ['local', 'gpu-1_b', 'lab.example']) {
      const address = parseAddress(computeAddress(name) ?? '');
      expect(address).toEqual({ kind: 'compute', id: name, tab: null });
      expect(address && hasPage(address)).toBe(true);
      expect(address && pageName(address)).toBe(`compute/${name}`);
    }
    expect(computeAddress('no address')).toBeNull();
    expect(computeAddress('../up')).toBeNull();
  });

  it('names a page whatever part of it is shown', () => {
    const names = [
      runAddress(ID),
      runAddress(ID, 'metrics'),
      workspaceAddress('a', 'details'),
      workspaceAddress('b', 'details')
    ].map(text => {
      const address = parseAddress(text);
      return address && pageName(address);
    });
    expect(names).toEqual([
      `runs/${ID}`,
      `runs/${ID}`,
      'workspaces',
      'workspaces'
    ]);
  });

  it.each([
    '',
    'runs/',
    'experiments/',
    'experiments/1/2',
    'experiments/<b>',
    'workspaces/a b',
    'workspaces/-a',
    'workspaces/a/settings',
    `workspaces/${'a'.repeat(64)}`,
    'constructor/x',
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
