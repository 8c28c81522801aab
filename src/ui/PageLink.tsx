import { createContext, useContext, type ReactNode } from 'react';

import { PAGE_PARAMETER } from '../lib/address';

/** Opens the page of an address such as "runs/<id>". */
export type OpenPage = (address: string) => void;

const PagesContext = createContext<OpenPage | null>(null);

/** Lets the links of a tree open pages of the Lab. */
export const PagesProvider = PagesContext.Provider;

/** The function that opens pages; null where none is given. */
export function useOpenPage(): OpenPage | null {
  return useContext(PagesContext);
}

export interface IPageLinkProps {
  /** "runs/<id>". */
  address: string;
  /** Shown on hover. */
  title?: string;
  className?: string;
  children: ReactNode;
}

/** A link to a page: a click opens it in this Lab, a click with Ctrl in a window of its own. */
export function PageLink(props: IPageLinkProps): JSX.Element {
  const { address, title, className, children } = props;
  const open = useOpenPage();
  return (
    <a
      className={['jp-mlws-link', className].filter(Boolean).join(' ')}
      // Seen from the Lab's own address.
      href={`?${PAGE_PARAMETER}=${address}`}
      title={title}
      onClick={event => {
        if (open && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
          event.preventDefault();
          open(address);
        }
      }}
    >
      {children}
    </a>
  );
}
