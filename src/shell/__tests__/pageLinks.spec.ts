import { followLinks } from '../pageLinks';

const ID = '0123456789abcdef0123456789abcdef';
const ADDRESS = `runs/${ID}`;

describe('followLinks', () => {
  const open = jest.fn<undefined, [string]>();
  let end: () => void;

  beforeEach(() => {
    open.mockClear();
    document.body.innerHTML = `
      <div class="output">
        <a id="run" href="/mlws/open/${ADDRESS}" target="_blank"><b id="inside">run</b></a>
        <a id="other" href="/tree/a.ipynb" target="_blank">file</a>
        <a id="none">nothing</a>
        <p id="text">text</p>
      </div>`;
    end = followLinks(document, window.location.origin, open);
  });
  afterEach(() => end());

  /** Clicks, and tells whether the browser still follows the link. */
  function click(id: string, init: MouseEventInit = {}): boolean {
    const event = new MouseEvent('click', {
      bubbles: true,
      cancelable: true,
      ...init
    });
    return document.getElementById(id)!.dispatchEvent(event);
  }

  it('opens the page in place', () => {
    expect(click('run')).toBe(false);
    expect(click('inside')).toBe(false);
    expect(open.mock.calls).toEqual([[ADDRESS], [ADDRESS]]);
  });

  it.each([
    { ctrlKey: true },
    { metaKey: true },
    { shiftKey: true },
    { altKey: true },
    { button: 1 },
    { button: 2 }
  ])('leaves a click with %j to the browser', init => {
    expect(click('run', init)).toBe(true);
    expect(open).not.toHaveBeenCalled();
  });

  it('leaves other links and text alone', () => {
    expect(['other', 'none', 'text'].map(id => click(id))).toEqual([
      true,
      true,
      true
    ]);
    expect(open).not.toHaveBeenCalled();
  });

  it('leaves a click alone that somebody has dealt with', () => {
    const run = document.getElementById('run')!;
    run.addEventListener('click', event => event.preventDefault());
    click('run');
    expect(open).not.toHaveBeenCalled();
  });

  it('ends', () => {
    end();
    document
      .getElementById('run')!
      .addEventListener('click', event => event.preventDefault());
    click('run');
    expect(open).not.toHaveBeenCalled();
    const plain = new MouseEvent('click', { bubbles: true, cancelable: true });
    document.getElementById('inside')!.dispatchEvent(plain);
    expect(open).not.toHaveBeenCalled();
  });
});
