/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "event/amps-gzip.h"

#include <string.h>

#define MIB (1024 * 1024)

static GBytes *
pack (const char *text, gsize length)
{
  g_autoptr (GConverter) compressor =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
  gsize size = length + 1000, n_read, n_written;
  guint8 *packed = g_malloc (size);

  g_assert_cmpint (g_converter_convert (compressor, text, length, packed, size,
                                        G_CONVERTER_INPUT_AT_END, &n_read, &n_written, NULL),
                   ==, G_CONVERTER_FINISHED);
  return g_bytes_new_take (packed, n_written);
}

static GBytes *
join (GBytes *left, GBytes *right)
{
  GByteArray *both = g_byte_array_new ();
  GBytes *parts[] = { left, right };

  for (unsigned int i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      gsize length;
      const guint8 *data = g_bytes_get_data (parts[i], &length);

      g_byte_array_append (both, data, (unsigned int) length);
    }

  return g_byte_array_free_to_bytes (both);
}

static void
assert_decodes (GBytes *packed, gsize max_size, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) decoded = amps_gzip_decode (packed, max_size, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (decoded, NULL), g_bytes_get_size (decoded), expected,
                   strlen (expected));
}

static void
assert_fails (GBytes *packed, gsize max_size, AmpsError code, const char *detail)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (amps_gzip_decode (packed, max_size, &error));
  g_assert_error (error, AMPS_ERROR, (int) code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, detail));
}

static void
test_sizes (void)
{
  static const gsize lengths[] = { 0, 1, 4095, 4096, 4097, 8192, 300000 };

  for (unsigned int i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autofree char *text = g_strnfill (lengths[i], 'x');
      g_autoptr (GBytes) packed = pack (text, lengths[i]);

      assert_decodes (packed, 16 * MIB, text);
      assert_decodes (packed, lengths[i], text);
      if (lengths[i] > 0)
        assert_fails (packed, lengths[i] - 1, AMPS_ERROR_TOO_LARGE, "MAX_BODY_SIZE");
    }
}

/* As `cat a.gz b.gz` makes them. */
static void
test_members (void)
{
  g_autoptr (GBytes) left = pack ("{\"a\":", 5);
  g_autoptr (GBytes) right = pack ("1}", 2);
  g_autoptr (GBytes) both = join (left, right);
  g_autoptr (GBytes) garbage = g_bytes_new_static ("garbage", 7);
  g_autoptr (GBytes) spoilt = join (left, garbage);

  assert_decodes (both, 100, "{\"a\":1}");
  assert_fails (both, 6, AMPS_ERROR_TOO_LARGE, "over 6 bytes");
  assert_fails (spoilt, 100, AMPS_ERROR_INVALID_EVENT, "gzip");
}

static void
test_not_gzip (void)
{
  g_autoptr (GBytes) whole = pack ("an event", 8);
  g_autoptr (GBytes) empty = g_bytes_new_static (NULL, 0);
  g_autoptr (GBytes) plain = g_bytes_new_static ("{}", 2);
  gsize length = g_bytes_get_size (whole);

  assert_fails (empty, 100, AMPS_ERROR_INVALID_EVENT, "gzip");
  assert_fails (plain, 100, AMPS_ERROR_INVALID_EVENT, "gzip");
  for (gsize cut = 0; cut < length; cut++)
    {
      g_autofree guint8 *spoilt = g_memdup2 (g_bytes_get_data (whole, NULL), length);
      g_autoptr (GBytes) part = g_bytes_new (spoilt, cut);
      g_autoptr (GBytes) wrong = NULL;

      assert_fails (part, 100, AMPS_ERROR_INVALID_EVENT, "gzip");
      if (cut < length - 8)
        continue;

      /* The checksum and the length at the end. */
      spoilt[cut] ^= 1;
      wrong = g_bytes_new (spoilt, length);
      assert_fails (wrong, 100, AMPS_ERROR_INVALID_EVENT, "gzip");
    }
}

static void
on_decoded (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static void
test_async (void)
{
  g_autoptr (GBytes) packed = pack ("an event", 8);

  for (gsize max_size = 7; max_size <= 8; max_size++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) decoded = NULL;

      amps_gzip_decode_async (packed, max_size, on_decoded, &result);
      while (result == NULL)
        g_main_context_iteration (NULL, TRUE);
      decoded = amps_gzip_decode_finish (result, &error);
      if (max_size == 8)
        g_assert_cmpmem (g_bytes_get_data (decoded, NULL), g_bytes_get_size (decoded), "an event",
                         8);
      else
        g_assert_error (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE);
    }
}

static gsize
get_peak (void)
{
  g_autofree char *status = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  return (gsize) g_ascii_strtoull (strstr (status, "VmHWM:") + strlen ("VmHWM:"), NULL, 10);
}

/* 200 KiB that would be 200 MiB: it stops at the limit, and takes no memory for the rest. */
static void
test_bomb (void)
{
  g_autoptr (GConverter) compressor =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, compressor);
  g_autofree char *zeros = g_malloc0 (MIB);
  g_autoptr (GBytes) bomb = NULL;
  gsize before;

  for (int i = 0; i < 200; i++)
    g_assert_true (g_output_stream_write_all (stream, zeros, MIB, NULL, NULL, NULL));
  g_assert_true (g_output_stream_close (stream, NULL, NULL));
  bomb = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
  g_assert_cmpuint (g_bytes_get_size (bomb), <, 220 * 1024);

  before = get_peak ();
  assert_fails (bomb, MIB, AMPS_ERROR_TOO_LARGE, "MAX_BODY_SIZE is 1048576");
  g_assert_cmpuint (get_peak () - before, <, 32 * 1024);
  g_assert_true (amps_gzip_may_exceed (g_bytes_get_size (bomb), 200 * MIB - 1));
}

static void
test_encodings (void)
{
  static const struct {
    const char *encoding;
    gboolean supported;
    gboolean is_gzip;
  } cases[] = {
    { NULL, TRUE, FALSE },        { "", TRUE, FALSE },
    { "identity", TRUE, FALSE },  { "Identity", TRUE, FALSE },
    { "gzip", TRUE, TRUE },       { " GZIP ", TRUE, TRUE },
    { "x-gzip", TRUE, TRUE },     { "br", FALSE, FALSE },
    { "deflate", FALSE, FALSE },  { "UTF-8", TRUE, FALSE },
    { "binary", TRUE, FALSE },    { "utf-16", FALSE, FALSE },
    { "gzip, br", FALSE, FALSE }, { "\xff\x1b[1m", FALSE, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean is_gzip;

      g_assert_cmpint (amps_gzip_check_encoding (cases[i].encoding, &is_gzip, &error), ==,
                       cases[i].supported);
      g_assert_cmpint (is_gzip, ==, cases[i].is_gzip);
      if (cases[i].supported)
        continue;

      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_null (strchr (error->message, '\x1b'));
      if (g_str_is_ascii (cases[i].encoding))
        g_assert_nonnull (strstr (error->message, cases[i].encoding));
    }
}

static void
test_may_exceed (void)
{
  g_assert_false (amps_gzip_may_exceed (0, 0));
  g_assert_true (amps_gzip_may_exceed (1, 0));
  g_assert_false (amps_gzip_may_exceed (200, 256 * 1024));
  g_assert_true (amps_gzip_may_exceed (300, 256 * 1024));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gzip/sizes", test_sizes);
  g_test_add_func ("/gzip/members", test_members);
  g_test_add_func ("/gzip/not-gzip", test_not_gzip);
  g_test_add_func ("/gzip/async", test_async);
  g_test_add_func ("/gzip/bomb", test_bomb);
  g_test_add_func ("/gzip/encodings", test_encodings);
  g_test_add_func ("/gzip/may-exceed", test_may_exceed);
  return g_test_run ();
}
