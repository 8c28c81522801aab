export { LineChart, type ILineChartProps, type ILineSeries } from './LineChart';
