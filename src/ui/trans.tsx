import { nullTranslator, type ITranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext, useMemo, type ReactNode } from 'react';

/** The name under which language packs file our strings. */
export const TRANSLATION_DOMAIN = 'jupyter_mlws';

interface ILanguage {
  trans: TranslationBundle;
  locale: string | undefined;
}

const LanguageContext = createContext<ILanguage>({
  trans: nullTranslator.load(TRANSLATION_DOMAIN),
  locale: undefined
});

/** Hands the Lab's translator to a tree. */
export function TransProvider(props: {
  translator?: ITranslator | null;
  children: ReactNode;
}): JSX.Element {
  const { translator, children } = props;
  const language = useMemo(() => {
    const source = translator ?? nullTranslator;
    return {
      trans: source.load(TRANSLATION_DOMAIN),
      locale: toLocale(source.languageCode)
    };
  }, [translator]);
  return (
    <LanguageContext.Provider value={language}>
      {children}
    </LanguageContext.Provider>
  );
}

/** The translation bundle: `trans.__('Retry')`. */
export function useTrans(): TranslationBundle {
  return useContext(LanguageContext).trans;
}

/** The language of dates and numbers as a BCP 47 tag; undefined is the browser's. */
export function useLocale(): string | undefined {
  return useContext(LanguageContext).locale;
}

/** "fr_FR" → "fr-FR"; names that Intl does not know → undefined. */
function toLocale(code: string): string | undefined {
  const tag = code.replace('_', '-');
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}
