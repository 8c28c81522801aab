export { AnsiLine } from './AnsiLine';
export { TextLines, type ITextLinesProps } from './TextLines';
