/** Prints one line a case: a table row, or a JSON object with `--json`. */
export function reporter(isJson: boolean): (name: string, numbers: Readonly<Record<string, number | string>>) => void {
  return (name, numbers) => {
    const rounded = Object.fromEntries(
      Object.entries(numbers).map(([key, value]) => [key, typeof value === 'number' ? Number(value.toPrecision(4)) : value]),
    );
    if (isJson) console.log(JSON.stringify({ name, ...rounded, ratios: {} }));
    else
      console.log(
        name.padEnd(40) +
          Object.entries(rounded)
            .map(([key, value]) => `${key} ${value}`)
            .join('   '),
      );
  };
}
