/* The shared memory through which host and instance exchange requests and replies.
 *
 * One memfd: a control page, then the request ring, then the reply ring. Each ring is mapped twice in
 * a row, so that a frame which crosses the end is still one piece of memory. Positions count bytes
 * since the channel was made and never wrap in practice (2^64); `position % ring_bytes` is the place.
 * Frames are multiples of 8 bytes long.
 *
 * Each word has one writer. A side publishes its own positions here but never reads them back: the
 * other process may write nonsense into every byte of this memory.
 */
#ifndef ROOST_CHANNEL_H
#define ROOST_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#define ROOST_CHANNEL_MAGIC 0x31435352u /* "RSC1" */
#define ROOST_CHANNEL_PAGE 4096u

typedef struct roost_channel_page {
  uint32_t magic;
  uint32_t lanes; /* ring pairs; 1 now, one per gateway loop later */
  uint64_t ring_bytes;
  uint8_t pad0[48];

  uint64_t request_tail; /* host: bytes published */
  uint8_t pad1[56];
  uint64_t request_head;  /* instance: bytes done with; the host may reuse their place */
  uint64_t request_taken; /* instance: bytes whose frames it has begun to work on */
  uint8_t pad2[48];
  uint32_t request_sleeping; /* instance: 1 while it waits; a futex word */
  uint8_t pad3[60];

  uint64_t reply_tail; /* instance: bytes published */
  uint8_t pad4[56];
  uint64_t reply_head; /* host: bytes done with */
  uint8_t pad5[56];
  uint32_t reply_sleeping; /* host: 1 while it waits for the doorbell */
  uint8_t pad6[60];
  uint32_t room_wanted; /* instance: 1 while it waits for room in the reply ring; a futex word */
  uint8_t pad7[60];
} roost_channel_page;

_Static_assert(offsetof(roost_channel_page, request_tail) == 64, "one cache line per writer");
_Static_assert(offsetof(roost_channel_page, request_head) == 128, "one cache line per writer");
_Static_assert(offsetof(roost_channel_page, request_sleeping) == 192, "one cache line per writer");
_Static_assert(offsetof(roost_channel_page, reply_tail) == 256, "one cache line per writer");
_Static_assert(offsetof(roost_channel_page, reply_head) == 320, "one cache line per writer");
_Static_assert(offsetof(roost_channel_page, reply_sleeping) == 384, "one cache line per writer");
_Static_assert(sizeof(roost_channel_page) <= ROOST_CHANNEL_PAGE, "the control page is one page");

/* The body of this frame, or the room that it asks for, is a memfd on the bodies socket. */
#define ROOST_FRAME_BODY_IN_FILE 1u
/* Reply only: no answer yet, send a file of body_size bytes to write it to. */
#define ROOST_FRAME_WANTS_FILE 2u
/* Request only: the reply shall carry a roost_summary. */
#define ROOST_FRAME_WANTS_SUMMARY 4u
/* Request only: the summary shall hold a copy of the request. Behind the body, at the next multiple of 8, stand the
   fields that the copy must not show: their size in bytes (uint32_t), then names, each ending in 0. */
#define ROOST_FRAME_WANTS_RECORD 8u
/* Reply only: a roost_summary stands behind the body, at the next multiple of 8. */
#define ROOST_FRAME_HAS_SUMMARY 16u
/* The body lies in the area of this direction, from body_at on. */
#define ROOST_FRAME_BODY_IN_AREA 32u
/* The area of this direction is used for the first time. Request: it is the next file of kind ROOST_FILE_OF_REQUEST.
   Reply, with ROOST_FRAME_WANTS_FILE: the file that is asked for shall be it, and stays. */
#define ROOST_FRAME_NEW_AREA 64u

/* Bodies that are too large for a ring and not larger than this lie in the area of their direction: a memfd that both
   sides map once, when the first of them comes, and use again for all that follow. */
#define ROOST_AREA_BODY_MAX 4194304ull
#define ROOST_AREA_BYTES 8388608ull
/* In json_size: the body is not JSON with binary tensors behind it. */
#define ROOST_NO_BINARY 0xffffffffffffffffull

typedef struct roost_request_frame {
  uint32_t frame_size; /* this header, content type text and body, rounded up to 8 */
  uint16_t operation;
  uint16_t flags;
  uint64_t id;
  uint64_t arrived_ns;  /* CLOCK_MONOTONIC */
  uint64_t deadline_ns; /* the same clock */
  uint64_t patience_ns; /* the same clock: until then it may wait for others to share its batch */
  double threshold;     /* from which score on the label of two classes is the positive one; NaN: as the model says */
  uint64_t body_size;
  uint16_t content_type;
  uint16_t accept;
  uint32_t content_type_size; /* text before the body, when content_type has no number */
  uint64_t body_at;           /* ROOST_FRAME_BODY_IN_AREA: where in the area */
  uint64_t json_size;         /* of the decompressed body: how much is JSON when binary tensors follow */
  uint64_t body_limit;        /* what the body may become by decompression */
  uint16_t content_coding;    /* how the body is compressed */
  uint16_t accept_coding;     /* how the reply may be */
  uint32_t reserved;
} roost_request_frame;

typedef struct roost_reply_frame {
  uint32_t frame_size;
  uint16_t status;
  uint16_t flags;
  uint64_t id;
  uint64_t body_size;
  uint16_t content_type;
  uint16_t outcome;
  uint32_t content_type_size;
  uint32_t rows;       /* of this request */
  uint32_t batch_rows; /* of the batch that it ran in */
  uint64_t infer_ns;   /* the predict call of that batch */
  uint64_t body_at;    /* ROOST_FRAME_BODY_IN_AREA: where in the area */
  uint64_t json_size;  /* of the body before it was compressed: how much is JSON when binary tensors follow */
  uint16_t content_coding;
  uint16_t reserved[3];
  uint64_t decode_ns;  /* from the bodies of that batch to its tensors */
  uint64_t encode_ns;  /* from its tensors to this body */
} roost_reply_frame;

/* What the host has to know of a body, told by the instance. Behind it stand, without gaps: `rows * width` doubles;
   a class for each row as label_kind says; the id; the record. */
typedef struct roost_summary {
  uint32_t record_size;  /* the request as an infer request, private fields blank; 0: none was made */
  uint32_t row_elements; /* of the first output; the first `width` of them follow */
  uint16_t rows;         /* whose outputs follow, from the first on */
  uint16_t width;
  uint16_t id_size; /* of the request's own id, unescaped; 0: it had none, or a longer one than fits */
  uint16_t label_kind;
} roost_summary;

#define ROOST_LABELS_NONE 0u
/* An int64_t for each row. */
#define ROOST_LABELS_NUMBERS 1u
/* For each row a length byte and ROOST_LABEL_TEXT_MAX bytes, of which as many are text. */
#define ROOST_LABELS_TEXTS 2u
#define ROOST_LABEL_TEXT_MAX 32u

_Static_assert(sizeof(roost_summary) == 16, "summaries begin with a multiple of 8");
_Static_assert(sizeof(roost_request_frame) == 96, "frame headers are multiples of 8");
_Static_assert(sizeof(roost_reply_frame) == 88, "frame headers are multiples of 8");

static inline uint64_t roost_load_relaxed(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline uint64_t roost_load_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void roost_store_release(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

/* Consumer, before it sleeps: announce it, then look once more. The fence orders the announcement
   before that look; its twin in roost_claim_wake orders publishing before reading the announcement. */
static inline void roost_announce_sleep(uint32_t *sleeping) {
  __atomic_store_n(sleeping, 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static inline void roost_cancel_sleep(uint32_t *sleeping) { __atomic_store_n(sleeping, 0, __ATOMIC_RELAXED); }
/* Producer, after publishing: 1 when the consumer sleeps and this caller is the one to wake it. */
static inline int roost_claim_wake(uint32_t *sleeping) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (__atomic_load_n(sleeping, __ATOMIC_RELAXED) == 0) return 0;
  return __atomic_exchange_n(sleeping, 0, __ATOMIC_SEQ_CST) == 1;
}

/* Sleeps while *word == 1, at most timeout_ns (negative: without end). Spurious returns happen. */
void roost_futex_sleep(uint32_t *word, int64_t timeout_ns);
void roost_futex_wake(uint32_t *word);

/* Maps the control page and both rings (each twice in a row) of `memory`. Returns NULL with errno set.
   The whole mapping is ROOST_CHANNEL_PAGE + 4 * ring_bytes long. */
void *roost_channel_map(int memory, uint64_t ring_bytes);

/* A memfd of `size` bytes that can neither grow nor shrink nor lose its seals; -1 with errno set. */
int roost_sealed_memory(const char *name, uint64_t size);
/* Forbids writing from now on; fails with EBUSY while a writable mapping exists. */
int roost_seal_writes(int memory);
/* Gives the memory of such a file back to the system, whoever still has it open, for good. Fails with EBUSY when
   somebody still writes to it. */
int roost_take_back(int memory);

/* Forbids that anybody makes another mapping for writing; those that exist stay. Fails on kernels before 5.1. */
int roost_seal_new_writers(int memory);

/* What a file on the bodies socket is for: the next request without one, or the reply that asked for it. */
#define ROOST_FILE_OF_REQUEST 1
#define ROOST_FILE_OF_REPLY 2

/* One byte (the kind) and one descriptor over a SOCK_SEQPACKET socket, never blocking. -1 with errno set. */
int roost_send_descriptor(int socket, int descriptor, int kind);
/* number: the descriptor, or -1 with errno set (EAGAIN: none there; EPROTO: a message without one). */
typedef struct roost_file {
  int32_t number, kind;
} roost_file;
roost_file roost_receive_descriptor(int socket);

/* Non-blocking, close-on-exec. -1 with errno set. */
int roost_doorbell(void);
int roost_socket_pair(int ends[2]);
void roost_ring(int doorbell);

/* One descriptor that becomes readable when any of the added doorbells has rung (edge-triggered). */
int roost_doorbells(void);
int roost_doorbells_add(int doorbells, int doorbell, uint32_t tag);
int roost_doorbells_remove(int doorbells, int doorbell);
/* Tags of the doorbells that rang since the last call: their number, at most `capacity`. */
int roost_doorbells_take(int doorbells, uint32_t *tags, int capacity);
#endif
