import type { TranslationBundle } from '@jupyterlab/translation';

import { hasPage, parseAddress, type IPageAddress } from '../lib/address';
import type { IMlwsPages } from '../tokens';
import { errorSentence } from '../ui/errorText';
import { tellFailure, tellWarning } from './notify';

type Show = (id: string) => Promise<void>;

/** So much of a text that is no address is repeated to who asked for it. */
const REPEATED = 80;

/** Leads addresses to who shows them: pages to the main area, the others to their places. */
export class Pages implements IMlwsPages {
  /**
   * @param openPage - Opens the page of an address that has one.
   */
  constructor(
    private readonly trans: TranslationBundle,
    private readonly openPage: (address: IPageAddress) => void
  ) {}

  readonly open = (text: string): void => {
    const address = parseAddress(text);
    if (!address) {
      tellWarning(
        this.trans.__(
          'ML Workspace has no page “%1”. Addresses look like runs/<id>, experiments/<id>, compute/<name> or workspaces/<name>.',
          text.slice(0, REPEATED)
        )
      );
    } else if (hasPage(address)) {
      this.openPage(address);
    } else {
      void this._show(text, address);
    }
  };

  readonly onPlace = (kind: IPageAddress['kind'], show: Show): void => {
    this._places.set(kind, show);
  };

  private async _show(text: string, address: IPageAddress): Promise<void> {
    try {
      await this._places.get(address.kind)?.(address.id);
    } catch (error) {
      tellFailure(
        this.trans.__(
          '%1 cannot be shown: %2',
          text,
          errorSentence(error, this.trans)
        )
      );
    }
  }

  private readonly _places = new Map<IPageAddress['kind'], Show>();
}
