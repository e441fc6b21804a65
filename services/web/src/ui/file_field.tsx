import { Field } from "./parts";

interface Props {
  label: string;
  /** What may be chosen, such as `.pdf,.docx`. */
  accept: string;
  disabled: boolean;
  add: (file: File) => void;
}

/** One file to choose. The same one can be chosen again, such as after it was refused. */
export function FileField({ label, accept, disabled, add }: Props) {
  return (
    <Field label={label}>
      {(ids) => (
        <input
          {...ids}
          type="file"
          accept={accept}
          disabled={disabled}
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) add(file);
            event.currentTarget.value = "";
          }}
        />
      )}
    </Field>
  );
}
