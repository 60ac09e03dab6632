// Rule: files that somebody chose or dropped, read as one text of many documents, and no more than the lab takes.
export const MOST_LETTERS = 2_000_000;
const MOST_FILES = 200;

/** Files as one text of many documents. */
export async function readFiles(files: FileList | readonly File[] | null): Promise<string> {
  const all = [...(files ?? [])].filter((file) => file.size <= MOST_LETTERS).slice(0, MOST_FILES);
  const texts = await Promise.all(all.map((file) => file.text()));
  return texts.map((text) => text.replace(/\n*$/, "\n")).join("---\n");
}
