#include "harness/text.h"

#include <gtest/gtest.h>

#include "harness/options.h"

namespace ipcbench {
namespace {

TEST(Text, DurationsHaveThreeDigitsAndTheUnitThatSuits) {
  EXPECT_EQ(duration_text(0), "0.00 ns");
  EXPECT_EQ(duration_text(1.234), "1.23 ns");
  EXPECT_EQ(duration_text(43.21), "43.2 ns");
  EXPECT_EQ(duration_text(999.4), "999 ns");
  EXPECT_EQ(duration_text(999.6), "1.00 µs");
  EXPECT_EQ(duration_text(4'312), "4.31 µs");
  EXPECT_EQ(duration_text(1.2e6), "1.20 ms");
  EXPECT_EQ(duration_text(20e9), "20.0 s");
  EXPECT_EQ(duration_text(1e13), "10000 s");
}

TEST(Text, RatesAndBandwidthsAreDecimal) {
  EXPECT_EQ(rate_text(812), "812 /s");
  EXPECT_EQ(rate_text(48'100'000), "48.1 M/s");
  EXPECT_EQ(bandwidth_text(3.08e9), "3.08 GB/s");
  EXPECT_EQ(bandwidth_text(999'950), "1.00 MB/s");
}

TEST(Text, SizesAreBinaryWhereTheyAreExact) {
  for (const auto& [bytes, text, argument] : {std::tuple{0ULL, "0 B", "0"},
                                              {64ULL, "64 B", "64"},
                                              {4096ULL, "4 KiB", "4KiB"},
                                              {8193ULL, "8193 B", "8193"},
                                              {1ULL << 20, "1 MiB", "1MiB"},
                                              {1536ULL << 10, "1536 KiB", "1536KiB"}}) {
    EXPECT_EQ(size_text(bytes), text);
    if (bytes == 0) continue;
    EXPECT_EQ(parse_size(argument), bytes);
  }
}

TEST(Text, HalfWidthsHaveADecimalBelowOnePerCent) {
  EXPECT_EQ(half_width_text(0.02), "±2 %");
  EXPECT_EQ(half_width_text(0.004), "±0.4 %");
  EXPECT_EQ(half_width_text(0.0096), "±1 %");
  EXPECT_EQ(half_width_text(0), "±0.0 %");
  EXPECT_EQ(half_width_text(55377), ">±999 %");
}

TEST(Text, SizesAreReadInBinaryUnits) {
  for (const auto& [text, bytes] : {std::pair{"1", 1U},
                                    {"64", 64U},
                                    {"64b", 64U},
                                    {"4K", 4096U},
                                    {"4kb", 4096U},
                                    {"4KiB", 4096U},
                                    {"4 KiB", 4096U},
                                    {"1MiB", 1U << 20},
                                    {"16m", 16U << 20},
                                    {"16777216", 16U << 20}})
    EXPECT_EQ(parse_size(text), bytes) << text;
  for (const char* text :
       {"", "0", "00", "010", "0x10", "-1", "+1", " 1", "1.5K", "1e3", "16777217", "17MiB", "64XB",
        "KiB", "1G", "99999999999999999999", "18446744073709551615KiB", "18014398509481985KiB"})
    EXPECT_THROW(parse_size(text), UsageError) << text;
}

TEST(Text, NumbersAreReadWithinTheirBounds) {
  EXPECT_EQ(parse_number("1", "n", 1, 10), 1U);
  EXPECT_EQ(parse_number("10", "n", 1, 10), 10U);
  EXPECT_EQ(parse_number("18446744073709551615", "n", 0, UINT64_MAX), UINT64_MAX);
  for (const char* text :
       {"", "0", "11", "-1", "+1", " 1", "1 ", "1.0", "0x1", "one", "18446744073709551616"})
    EXPECT_THROW(parse_number(text, "n", 1, 10), UsageError) << text;
}

TEST(Text, DurationsAreReadWithTheirUnit) {
  for (const auto& [text, ns] : {std::pair{"20ms", 20'000'000LL},
                                 {"1.5s", 1'500'000'000LL},
                                 {"500us", 500'000LL},
                                 {"7ns", 7LL},
                                 {"0ms", 0LL},
                                 {"2min", 120'000'000'000LL},
                                 {"1e3ms", 1'000'000'000LL}})
    EXPECT_EQ(parse_duration(text, "time", 0, 120), ns) << text;
  for (const char* text : {"", "20", "ms", "-5ms", "20 ms", "20ms ", "3min", "nan", "nans", "infs",
                           "1e999s", "1h", "0x1s", "1m"})
    EXPECT_THROW(parse_duration(text, "time", 0, 120), UsageError) << text;
}

TEST(Text, ListsAreSplitAtCommas) {
  EXPECT_EQ(split_list("a", "list"), std::vector<std::string>({"a"}));
  EXPECT_EQ(split_list("a, b ,c d", "list"), std::vector<std::string>({"a", "b", "c d"}));
  for (const char* text : {"", ",", "a,", ",a", "a, ,b"})
    EXPECT_THROW(split_list(text, "list"), UsageError) << text;
}

TEST(Text, SuggestsWhatIsNear) {
  const std::vector<std::string> words{"pipe", "tcp", "unix_stream", "list", "size", "seed"};
  EXPECT_EQ(closest("pype", words), "pipe");
  EXPECT_EQ(closest("pip", words), "pipe");
  EXPECT_EQ(closest("tpc", words), "tcp") << "two letters swapped are one change";
  EXPECT_EQ(closest("lsit", words), "list");
  EXPECT_EQ(closest("sede", words), "seed");
  EXPECT_EQ(closest("unixstraem", words), "unix_stream");
  EXPECT_EQ(closest("zzz", words), std::nullopt);
  EXPECT_EQ(closest("", words), std::nullopt);
  EXPECT_EQ(closest(std::string(10'000, 'p'), words), std::nullopt);
  EXPECT_EQ(closest("pipe", {}), std::nullopt);
  EXPECT_EQ(suggestion("pype", words), "; did you mean 'pipe'?");
  EXPECT_EQ(suggestion("zzz", words), "");
}

TEST(Text, UnvettedTextHasNoControlCharacters) {
  EXPECT_EQ(printable("pipe ±2 % → 4.31 µs 日本 😀"), "pipe ±2 % → 4.31 µs 日本 😀");
  EXPECT_EQ(printable("a\033[31m\r\n\t\x7f"), "a?[31m????");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(printable("\xc2\x9b\xc2\xa0"), "??\xc2\xa0") << "ISO 6429's CSI, and no-break space";
  EXPECT_EQ(printable("\xff\xfe\xc3"), "???");
  EXPECT_EQ(printable("\xc3("), "?(");
  EXPECT_EQ(printable("\xe2\x82"), "??") << "a euro sign that was cut";
}

TEST(Text, UnvettedTextIsCutBetweenCharacters) {
  EXPECT_EQ(printable("12345", 5), "12345");
  EXPECT_EQ(printable("123456", 5), "12345…");
  EXPECT_EQ(printable("1234µ", 5), "1234…");
  EXPECT_EQ(printable("123µ5", 5), "123µ…");
}

TEST(Text, WidthsAreOfCharacters) {
  EXPECT_EQ(width_of("4.31 µs"), 7U);
  EXPECT_EQ(width_of("±2 %"), 4U);
}

}  // namespace
}  // namespace ipcbench
