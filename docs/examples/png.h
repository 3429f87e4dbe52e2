/* Writes a picture as PNG with nothing but the C library: the pixels are stored, not compressed. */
#ifndef PNG_H
#define PNG_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t png_crc(const unsigned char *data, size_t length)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void png_u32(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char) (value >> (24 - 8 * i));
}

/* A chunk is its length, a name and the data, and a check sum of these two; `chunk` has 8 bytes of room before the
 * data and 4 behind. */
static void png_chunk(FILE *file, const char *name, unsigned char *chunk, size_t length)
{
    png_u32(chunk, (uint32_t) length);
    memcpy(chunk + 4, name, 4);
    png_u32(chunk + 8 + length, png_crc(chunk + 4, length + 4));
    fwrite(chunk, 1, length + 12, file);
}

/* Rows from the top, three bytes (red, green, blue) for each pixel. Returns 0 on success. */
static int png_write(const char *path, int width, int height, const unsigned char *rgb)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);

    unsigned char header[8 + 13 + 4] = {0};
    png_u32(header + 8, (uint32_t) width);
    png_u32(header + 12, (uint32_t) height);
    header[16] = 8; /* bits of a colour */
    header[17] = 2; /* red, green, blue */
    png_chunk(file, "IHDR", header, 13);

    /* A zlib stream whose deflate blocks (one for each row) hold plain bytes; a row begins with its filter, none. */
    size_t row = 1 + 3 * (size_t) width, block = 5 + row;
    unsigned char *chunk = malloc(8 + 2 + block * (size_t) height + 4 + 4);
    int bad = !chunk || row > 65535;
    if (!bad) {
        unsigned char *to = chunk + 8;
        uint32_t a = 1, b = 0; /* Adler-32 of the rows */
        *to++ = 0x78;
        *to++ = 0x01;
        for (int y = 0; y < height; y++) {
            int last = y == height - 1, size = (int) row;
            int head[6] = {last, size & 255, size >> 8, ~size & 255, ~size >> 8 & 255, 0};
            for (int i = 0; i < 6; i++)
                to[i] = (unsigned char) head[i];
            memcpy(to + 6, rgb + 3 * (size_t) width * (size_t) y, row - 1);
            for (size_t i = 0; i < row; i++) {
                a = (a + to[5 + i]) % 65521;
                b = (b + a) % 65521;
            }
            to += block;
        }
        png_u32(to, b << 16 | a);
        png_chunk(file, "IDAT", chunk, 2 + block * (size_t) height + 4);
        unsigned char end[12];
        png_chunk(file, "IEND", end, 0);
    }
    free(chunk);
    bad |= ferror(file) != 0;
    return fclose(file) != 0 || bad ? -1 : 0;
}

#endif
