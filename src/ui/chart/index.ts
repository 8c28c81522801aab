export { LineChart, type ILineChartProps, type ILineSeries } from './LineChart';
export { useThemeVersion } from './useThemeVersion';
