#include "lsp/framing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orchestrator::lsp {
namespace {

std::vector<std::string> all(FrameReader& reader) {
  std::vector<std::string> bodies;
  while (auto body = reader.next()) bodies.push_back(*body);
  return bodies;
}

using Bodies = std::vector<std::string>;

TEST(FramingTest, WhatIsFramedComesOutAgain) {
  FrameReader reader;
  reader.push(frame("{\"a\":1}") + frame("") + frame("ü"));
  EXPECT_EQ(all(reader), (Bodies{"{\"a\":1}", "", "ü"}));
  EXPECT_EQ(reader.fault(), "");
}

TEST(FramingTest, EveryCutOfTwoMessagesGivesTheTwo) {
  const std::string bytes = frame("first") + frame("second\r\n\r\n");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameReader reader;
    Bodies bodies;
    reader.push(bytes.substr(0, cut));
    for (const std::string& body : all(reader)) bodies.push_back(body);
    reader.push(bytes.substr(cut));
    for (const std::string& body : all(reader)) bodies.push_back(body);
    EXPECT_EQ(bodies, (Bodies{"first", "second\r\n\r\n"})) << "cut at " << cut;
  }
}

TEST(FramingTest, OneByteAtATime) {
  FrameReader reader;
  Bodies bodies;
  for (const char c : frame("abc") + frame("de")) {
    reader.push(std::string_view(&c, 1));
    for (const std::string& body : all(reader)) bodies.push_back(body);
  }
  EXPECT_EQ(bodies, (Bodies{"abc", "de"}));
}

TEST(FramingTest, OtherHeadersAndOtherSpellingsAreFine) {
  FrameReader reader;
  reader.push(
      "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:  3 \r\n\r\nabc");
  EXPECT_EQ(all(reader), Bodies{"abc"});
}

/// What makes every later byte meaningless: named, and then silence.
void expect_fault(const std::string& bytes, const std::string& words) {
  FrameReader reader;
  reader.push(frame("good") + bytes);
  EXPECT_EQ(all(reader), Bodies{"good"}) << bytes;
  EXPECT_NE(reader.fault().find(words), std::string::npos) << reader.fault();
  reader.push(frame("more"));
  EXPECT_EQ(all(reader), Bodies{});
}

TEST(FramingTest, AHeaderWithoutALengthIsAFault) {
  expect_fault("Content-Type: x\r\n\r\n{}", "without Content-Length");
}
TEST(FramingTest, ALengthThatIsNoNumberIsAFault) {
  expect_fault("Content-Length: 3x\r\n\r\nabc", "no number");
  expect_fault("Content-Length: -3\r\n\r\nabc", "no number");
  expect_fault("Content-Length: \r\n\r\nabc", "no number");
  expect_fault("Content-Length: 99999999999999999999999\r\n\r\n", "no number");
}
TEST(FramingTest, AnOversizedMessageIsAFaultBeforeItsBytesAreKept) {
  expect_fault("Content-Length: 999999999\r\n\r\n", "over the limit of 16777216");
}
TEST(FramingTest, WordsOfAProgramThatIsNoServerAreAFault) {
  expect_fault("Segmentation fault\r\n\r\n", "without a colon");
  expect_fault(std::string(5000, 'x'), "no end of a header");
}

}  // namespace
}  // namespace orchestrator::lsp
