import { checkArgument } from '../../core/errors.js'
import { GraphBound } from './constants.js'
import { STREAM_WORDS, StreamRow } from './rows.js'
import { putUtf16, type StringOrder } from './text.js'

/** pn_graph_stream_t for records of one graph; without a graph ID, or with an empty one, of any. */
export function streamWords(order: StringOrder, graphId: string | undefined): Int32Array {
  const words = new Int32Array(STREAM_WORDS)
  words[StreamRow.GRAPH_ORDER] = order === 'big-endian' ? 0 : 1
  if (graphId === undefined || graphId === '') return words
  const good = graphId.length < GraphBound.ID_UNITS
  checkArgument(good, 'a graph ID has 1 to 255 characters')
  words[StreamRow.GRAPH_UNITS] = graphId.length + 1
  const bytes = new Uint8Array(words.buffer, StreamRow.GRAPH_GRAPH_ID * 4)
  putUtf16(graphId, bytes, 0, order === 'big-endian')
  return words
}
