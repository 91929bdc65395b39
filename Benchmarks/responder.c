/* The yardstick: a bare libuv server that gives every request one fixed reply of the size of ours: the bytes of a file,
 * or else a short one. It looks for the blank line and for Content-Length, and parses nothing else; of a body that does
 * not come with its head it keeps nothing.
 *
 *     cc -O2 -o responder responder.c -luv && ./responder 9000 [REPLY]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char reply[4 << 20] =
    "HTTP/1.1 200 OK\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 45\r\n"
    "X-Request-Id: 000000000000000000000000\r\n"
    "\r\n"
    "{\"predictions\": [0.87654321], \"version\": \"1\"}";

static size_t reply_size;

static char buffer[65536];

struct client {
    uv_tcp_t tcp;
    size_t held; /* bytes of a head that is not complete */
    size_t left; /* bytes of a body that have not come; the answer goes out behind the last */
    char bytes[65536];
};

struct slow_write {
    uv_write_t write;
    char bytes[];
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
    (void)handle, (void)suggested;
    *out = uv_buf_init(buffer, sizeof buffer);
}

static void on_close(uv_handle_t *handle) { free(handle); }
static void on_written(uv_write_t *write, int status) { (void)status, free(write); }

static void answer(uv_stream_t *stream) {
    uv_buf_t out = uv_buf_init(reply, (unsigned)reply_size);
    int taken = uv_try_write(stream, &out, 1);
    if (taken == (int)out.len) return;
    if (taken < 0) taken = 0;
    size_t left = out.len - (size_t)taken;
    struct slow_write *slow = malloc(sizeof *slow + left);
    memcpy(slow->bytes, reply + taken, left);
    uv_buf_t rest = uv_buf_init(slow->bytes, (unsigned)left);
    uv_write(&slow->write, stream, &rest, 1, on_written);
}

/* Length of the request at `start`, 0 while its head is incomplete. */
static size_t request_length(const char *start, size_t count) {
    const char *end = memmem(start, count, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - start) + 4, body = 0;
    const char *length = memmem(start, head, "Content-Length: ", 16);
    if (length) body = strtoul(length + 16, NULL, 10);
    return head + body;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *in) {
    struct client *client = (struct client *)stream;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_close);
        return;
    }
    const char *start = in->base;
    size_t left = (size_t)count;
    if (client->held) {
        if (client->held + left > sizeof client->bytes) {
            uv_close((uv_handle_t *)stream, on_close);
            return;
        }
        memcpy(client->bytes + client->held, start, left);
        start = client->bytes;
        left += client->held;
        client->held = 0;
    }
    while (left) {
        size_t length = client->left ? client->left : request_length(start, left);
        if (!length) break;
        size_t here = length < left ? length : left;
        client->left = length - here;
        start += here;
        left -= here;
        if (!client->left) answer(stream);
    }
    if (left && left <= sizeof client->bytes) {
        memmove(client->bytes, start, left);
        client->held = left;
    }
}

static void on_connection(uv_stream_t *server, int status) {
    if (status < 0) return;
    struct client *client = calloc(1, sizeof *client);
    uv_tcp_init(server->loop, &client->tcp);
    if (uv_accept(server, (uv_stream_t *)client) == 0) {
        uv_tcp_nodelay(&client->tcp, 1);
        uv_read_start((uv_stream_t *)client, on_alloc, on_read);
    } else {
        uv_close((uv_handle_t *)client, on_close);
    }
}

int main(int count, char **arguments) {
    reply_size = strlen(reply);
    if (count > 2) {
        FILE *file = fopen(arguments[2], "rb");
        if (!file) return 1;
        reply_size = fread(reply, 1, sizeof reply, file);
        fclose(file);
    }
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    uv_tcp_t server;
    uv_ip4_addr("127.0.0.1", count > 1 ? atoi(arguments[1]) : 9000, &address);
    uv_tcp_init(loop, &server);
    uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
    if (uv_listen((uv_stream_t *)&server, 1024, on_connection)) return 1;
    printf("listening\n");
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
