/** What JSON.parse says is wrong, without the piece of the document that it quotes: there may be a password in it. */
export function withoutContent(problem: string): string {
  return problem.replace(/,? ?(?:\.\.\.)?"[\s\S]*"(?:\.\.\.)? is not valid JSON$/, '');
}

/** What is wrong with a value, without the value. */
export function withoutValue(problem: string): string {
  return problem.replace(/, got [\s\S]*$/, '');
}
