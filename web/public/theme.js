// Runs before the first paint, so that a stored theme does not flash. A file of its own because the CSP allows no inline script.
try {
  const stored = JSON.parse(localStorage.getItem('plimsoll.theme') ?? 'null');
  if (stored === 'light' || stored === 'dark') document.documentElement.dataset.theme = stored;
} catch {
  // Storage is off: the system's theme applies.
}
