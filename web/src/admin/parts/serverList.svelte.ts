/** A list that the server searches, sorts and pages: the page that is shown, and how many rows there are in all.
 *
 * Nothing is filtered here. While the next page comes, the one before stays to be read; an answer that another question
 * has overtaken is thrown away. */

export interface ListAnswer<Row> {
  total: number;
  rows: Row[];
  /** Whether there are more than `total`, which the server did not count. */
  at_least?: boolean;
}

export const ROWS = 50;

export class ServerList<Row> {
  rows = $state.raw<Row[]>([]);
  total = $state(0);
  /** Whether there are more than are counted. */
  atLeast = $state(false);
  /** The first row's number, from 0. */
  offset = $state(0);
  busy = $state(false);
  /** Whether an answer has ever come. */
  known = $state(false);
  failure = $state.raw<unknown>(null);
  #asked = 0;

  /** `ask(query)` gets one page; the query has `offset` and `limit`. */
  constructor(private readonly ask: (query: URLSearchParams) => Promise<ListAnswer<Row>>) {}

  /** Asks for the page of a query; what it says beside the offset is the server's business. */
  async load(query: URLSearchParams): Promise<void> {
    const mine = ++this.#asked;
    const asked = new URLSearchParams([...query].filter(([name, value]) => value !== '' && name !== 'offset' && name !== 'limit'));
    let offset = firstOf(query);
    this.busy = true;
    try {
      let answer = await this.#page(asked, offset);
      if (mine !== this.#asked) return;
      if (answer.rows.length === 0 && answer.total > 0) {
        offset = lastPage(answer.total); // rows were removed behind this page: the last that there is
        answer = await this.#page(asked, offset);
        if (mine !== this.#asked) return;
      }
      this.rows = answer.rows;
      this.total = answer.total;
      this.atLeast = answer.at_least ?? false;
      this.offset = offset;
      this.known = true;
      this.failure = null;
    } catch (error) {
      if (mine === this.#asked) this.failure = error;
    } finally {
      if (mine === this.#asked) this.busy = false;
    }
  }

  /** Nobody looks any more. */
  end(): void {
    this.#asked += 1;
  }

  #page(asked: URLSearchParams, offset: number): Promise<ListAnswer<Row>> {
    const query = new URLSearchParams(asked);
    query.set('offset', `${offset}`);
    query.set('limit', `${ROWS}`);
    return this.ask(query);
  }
}

/** The offset that a query names, at the beginning of a page. */
export function firstOf(query: URLSearchParams): number {
  const named = Number(query.get('offset') ?? '0');
  return Number.isSafeInteger(named) && named > 0 ? named - (named % ROWS) : 0;
}

/** Where the last page of so many rows begins. */
export const lastPage = (total: number): number => Math.max(0, Math.ceil(total / ROWS) - 1) * ROWS;

/** How a touch of a column's head sorts: by it, the other way round, and by it again. `-name` is from the end. */
export const sortedBy = (now: string, column: string): string => (now === column ? `-${column}` : column);
