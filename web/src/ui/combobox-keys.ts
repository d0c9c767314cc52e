/**
 * The option that an arrow key leads to. Below the last comes the first again.
 * @param active place of the marked option, −1 = none
 * @param count  options in the list
 * @returns −1 when there is none to mark, or the key is no arrow
 */
export function nextOption(active: number, count: number, key: string): number {
  if (count === 0) return -1;
  if (key === 'ArrowDown') return (active + 1) % count;
  if (key === 'ArrowUp') return active <= 0 ? count - 1 : active - 1;
  return -1;
}
