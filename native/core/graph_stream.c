#include "core/graph_stream.h"

#include "core/limits.h"

static bool broken(pn_graph_stream_t *s, pn_err_t code) {
  s->code = code;
  return false;
}

static uint32_t left(const pn_graph_stream_t *s, pn_bytes_t chunk) {
  return chunk.size - s->at;
}

static uint32_t least(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* GA-02, GA-03 */
static bool is_frame_size(const pn_graph_stream_t *s, uint32_t size) {
  return size >= 1 && size <= s->max_frame;
}

static void frame_row(pn_graph_msg_t *row, uint32_t at, uint32_t size) {
  memset(row, 0, sizeof *row);
  row->at = at;
  row->size = size;
}

/* Decodes; false when the message breaks the stream. */
static bool message_row(pn_graph_stream_t *s, pn_bytes_t source, uint32_t at, uint32_t size,
                        pn_graph_msg_t *row) {
  pn_err_t code = pn_graph_msg_decode(source, at, size, &s->graph, row);
  return code == PN_OK || broken(s, code);
}

/* The frame size at the start of a frame that is gathered; false when it has not come. */
static bool open_frame(pn_graph_stream_t *s, pn_bytes_t chunk) {
  uint32_t size;
  if (s->frame_left > 0 || s->mode == PN_GRAPH_STREAM_PLAIN)
    return true;
  pn_reader_t r = pn_reader_over(chunk, s->at, left(s, chunk));
  if (s->head == 0 && pn_reader_left(&r) == 1) {
    s->head = 0x100 | pn_read_u8(&r);
    s->at = r.at;
    return false;
  }
  if (pn_reader_left(&r) == 0)
    return false;
  size = s->head != 0 ? (s->head & 0xff) << 8 | pn_read_u8(&r) : pn_read_be16(&r);
  if (!is_frame_size(s, size))
    return broken(s, PN_ERR_BAD_FRAME);
  s->at = r.at;
  s->head = 0;
  s->frame_left = size;
  if (s->mode == PN_GRAPH_STREAM_FRAMES)
    s->want = size;
  return true;
}

/* Copies as much as there is and as fits; true when it moved on. */
static bool gather_some(pn_graph_stream_t *s, pn_bytes_t chunk, pn_graph_memory_t assembly) {
  if (!open_frame(s, chunk))
    return false;
  uint32_t goal = s->want != 0 ? s->want : PN_GRAPH_LENGTH_HEADER;
  uint32_t count = least(goal - s->have, left(s, chunk));
  if (s->mode != PN_GRAPH_STREAM_PLAIN)
    count = least(count, s->frame_left);
  if (count == 0)
    return false;
  if (s->have == 0 && s->want == 0 && count == PN_GRAPH_LENGTH_HEADER) {
    /* all of the header is in sight: the first assembly can have the right size */
    uint32_t type;
    pn_err_t code = pn_graph_header(chunk, s->at, s->max_message, &s->want, &type);
    return code == PN_OK || broken(s, code);
  }
  if (s->have == s->room) {
    s->need = s->want != 0 ? s->want : PN_LIMIT_GRAPH_HEAD_ROOM;
    return false;
  }
  count = least(count, s->room - s->have);
  pn_writer_t w = {assembly.base, assembly.size, s->offset + s->have, PN_OK};
  pn_write_span(&w, chunk, s->at, count);
  if (w.code != PN_OK)
    return broken(s, (pn_err_t)w.code);
  s->at += count;
  s->have += count;
  if (s->mode != PN_GRAPH_STREAM_PLAIN)
    s->frame_left -= count;
  return true;
}

/* Once the header has been gathered: how long the message is. */
static bool judge_header(pn_graph_stream_t *s, pn_graph_memory_t assembly) {
  uint32_t type;
  if (s->want != 0 || s->have < PN_GRAPH_LENGTH_HEADER)
    return true;
  pn_bytes_t bytes = {assembly.base, assembly.size};
  pn_err_t code = pn_graph_header(bytes, s->offset, s->max_message, &s->want, &type);
  return code == PN_OK || broken(s, code);
}

static bool is_complete(const pn_graph_stream_t *s) {
  return s->want != 0 && s->have == s->want;
}

/* True when a row was made. */
static bool gather(pn_graph_stream_t *s, pn_bytes_t chunk, pn_graph_memory_t assembly,
                   pn_graph_msg_t *row) {
  while (!is_complete(s))
    if (!gather_some(s, chunk, assembly) || !judge_header(s, assembly))
      return false;
  /* "Each message is broken into one or more frames" (2.2.1.1): a frame is of one message. */
  if (s->frame_left > 0)
    return broken(s, PN_ERR_SURPLUS_BYTES);
  if (s->mode == PN_GRAPH_STREAM_FRAMES)
    frame_row(row, s->offset, s->want);
  else if (!message_row(s, (pn_bytes_t){assembly.base, assembly.size}, s->offset, s->want, row))
    return false;
  row->memory = 1;
  row->end = s->at;
  s->gathering = s->have = s->want = s->room = s->offset = 0;
  return true;
}

typedef enum { FOUND, NOT_WHOLE, BROKEN } found_t;

static found_t find_plain(pn_graph_stream_t *s, pn_bytes_t chunk, uint32_t available, uint32_t at,
                          bool framed, pn_graph_msg_t *row) {
  uint32_t size, type;
  if (available < PN_GRAPH_LENGTH_HEADER)
    return NOT_WHOLE;
  pn_err_t code = pn_graph_header(chunk, at, s->max_message, &size, &type);
  if (code == PN_OK && framed && size < available)
    code = PN_ERR_SURPLUS_BYTES;
  if (code != PN_OK) {
    broken(s, code);
    return BROKEN;
  }
  if (size > available)
    return NOT_WHOLE;
  if (!message_row(s, chunk, at, size, row))
    return BROKEN;
  s->at = at + size;
  return FOUND;
}

/* What stands in one piece in the chunk. */
static found_t find(pn_graph_stream_t *s, pn_bytes_t chunk, pn_graph_msg_t *row) {
  if (s->mode == PN_GRAPH_STREAM_PLAIN)
    return find_plain(s, chunk, left(s, chunk), s->at, false, row);
  pn_reader_t r = pn_reader_over(chunk, s->at, left(s, chunk));
  if (pn_reader_left(&r) < 2)
    return NOT_WHOLE;
  uint32_t size = pn_read_be16(&r);
  if (!is_frame_size(s, size)) {
    broken(s, PN_ERR_BAD_FRAME);
    return BROKEN;
  }
  if (pn_reader_left(&r) < size)
    return NOT_WHOLE;
  if (s->mode == PN_GRAPH_STREAM_MESSAGES)
    return find_plain(s, chunk, size, r.at, true, row);
  frame_row(row, r.at, size);
  s->at = r.at + size;
  return FOUND;
}

uint32_t pn_graph_stream_scan(pn_graph_stream_t *s, pn_bytes_t chunk, pn_graph_memory_t assembly,
                              pn_graph_msg_t *rows, uint32_t most) {
  uint32_t count = 0;
  s->need = 0;
  if (s->at > chunk.size || s->room > assembly.size || s->offset > assembly.size - s->room)
    return broken(s, PN_ERR_OUT_OF_SOURCE);
  while (s->code == PN_OK && count < most) {
    if (s->gathering != 0) {
      if (!gather(s, chunk, assembly, &rows[count]))
        break;
      count++;
      continue;
    }
    if (left(s, chunk) == 0)
      break;
    found_t found = find(s, chunk, &rows[count]);
    if (found == FOUND) {
      rows[count].end = s->at;
      count++;
    } else if (found == BROKEN || count > 0) {
      break; /* gathering begins with a scan of its own, so that rows never outlive its start */
    } else {
      s->gathering = 1;
      s->have = s->want = s->frame_left = s->head = 0;
    }
  }
  return count;
}
