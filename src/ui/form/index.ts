export { Field, type IControlAttributes, type IFieldProps } from './Field';
export {
  CheckboxField,
  NumberField,
  SelectField,
  TextField,
  parseNumber
} from './fields';
export { Form, type IFormProps } from './Form';
export { MoreFields } from './MoreFields';
