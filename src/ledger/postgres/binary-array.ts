/** Object identifiers of element types, from PostgreSQL's `pg_type.dat`. */
const INT8 = 20;
const TEXT = 25;
const HEADER_BYTES = 20;
const FIRST_BYTES = 64 * 1024;

/**
 * A one-dimensional array in PostgreSQL's binary format (`array_send`): dimensions, a flag for nulls, the element type, length and
 * lower bound, then each element behind its length. Written directly because the text format would quote and escape every payload.
 */
class BinaryArray {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #end = HEADER_BYTES;
  #length = 0;
  readonly #type: number;

  constructor(type: number) {
    this.#type = type;
  }

  protected null(): void {
    const at = this.room(4);
    this.bytes.writeInt32BE(-1, at);
  }

  protected get bytes(): Buffer {
    return this.#bytes;
  }

  /** Where the next element stands, with so many bytes of room. */
  protected room(bytes: number): number {
    const at = this.#end;
    if (at + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + bytes));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#end += bytes;
    this.#length += 1;
    return at;
  }

  /** The array as it stands; valid until the next `clear`. */
  take(): Buffer {
    const bytes = this.#bytes;
    bytes.writeInt32BE(this.#length === 0 ? 0 : 1, 0);
    bytes.writeInt32BE(1, 4);
    bytes.writeInt32BE(this.#type, 8);
    bytes.writeInt32BE(this.#length, 12);
    bytes.writeInt32BE(1, 16);
    return bytes.subarray(0, this.#length === 0 ? 12 : this.#end);
  }

  /** Starts anew; the room of an unusually large array is given back. */
  clear(): void {
    if (this.#bytes.length > 16 * FIRST_BYTES) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
    this.#end = HEADER_BYTES;
    this.#length = 0;
  }
}

const LOW = 2 ** 32;

export class BigintArray extends BinaryArray {
  constructor() {
    super(INT8);
  }

  add(value: number | bigint | null): void {
    if (value === null) return this.null();
    const at = this.room(12);
    const { bytes } = this;
    bytes.writeInt32BE(8, at);
    if (typeof value === "bigint") {
      bytes.writeBigInt64BE(value, at + 4);
    } else {
      bytes.writeInt32BE(Math.floor(value / LOW), at + 4);
      bytes.writeUInt32BE(value >= 0 ? value % LOW : ((value % LOW) + LOW) % LOW, at + 8);
    }
  }
}

export class TextArray extends BinaryArray {
  constructor() {
    super(TEXT);
  }

  add(value: string | null): void {
    if (value === null) return this.null();
    const length = Buffer.byteLength(value);
    const at = this.room(4 + length);
    this.bytes.writeInt32BE(length, at);
    this.bytes.write(value, at + 4, length, "utf8");
  }
}
