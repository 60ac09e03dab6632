// Rule: light or dark is the system's choice until somebody makes one here; a choice is remembered.
const STORED = "packetwalk.theme";

export function startTheme(): void {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === "light" || stored === "dark") document.documentElement.dataset["theme"] = stored;
  } catch {
    // a page without storage forgets
  }
}

export function nextTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset["theme"] ?? (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // as above
  }
}
