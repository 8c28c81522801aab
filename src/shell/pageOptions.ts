import type { OpenPage } from '../ui';
import type { IProvidersProps } from './Providers';
import type { ReactPanel } from './reactPanel';

/** What every page of the main area is made with. */
export interface IPageOptions extends IProvidersProps {
  open: OpenPage;
  /** Tells that the page shows another part of itself: the layout stores its address anew. */
  saved: (panel: ReactPanel) => void;
}
