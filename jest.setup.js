require('@testing-library/jest-dom');

// JupyterLab's shim puts a stub over it that lacks most of its methods; jsdom's own is there.
delete document.createRange;

// jsdom has neither; components only need them to exist.
global.ResizeObserver =
  global.ResizeObserver ||
  class ResizeObserver {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
window.matchMedia =
  window.matchMedia ||
  (query => ({
    matches: false,
    media: query,
    addEventListener() {},
    removeEventListener() {},
    addListener() {},
    removeListener() {}
  }));
