// grpc_stream.h: the two ends of a bidirectional stream of gRPC: a call that lasts, in which both
// send messages. They are written and read in the memory of protobuf's messages.
//
// A write is done when HTTP/2's flow control has let it pass, which bounds what is under way.
// "Write batching" (buffer_hint), which the guide (grpc_link.h) advises for streams, is left out: a
// message would stay here until another one follows, and an end isn't told whether one does.
#pragma once

#include <exception>

#include "transports/grpc_link.h"

namespace ipcbench::exchange {

/// The client's side: it begins the stream. When it goes it says so, and waits until the server
/// has read everything and has ended the call: a stream that is dropped is cancelled, with what
/// hasn't been read.
class StreamClient {
 public:
  explicit StreamClient(const Place& place)
      : link_(place), stream_(link_.stub->AsyncStream(&context_, &link_.queue, nullptr)) {
    if (!succeeds(link_.queue)) fail_closed("AsyncStream");
  }
  StreamClient(const StreamClient&) = delete;
  StreamClient& operator=(const StreamClient&) = delete;
  ~StreamClient() {
    if (std::uncaught_exceptions() > 0) {
      context_.TryCancel();
      return;
    }
    stream_->WritesDone(nullptr);
    succeeds(link_.queue);
    Message rest;
    do {
      stream_->Read(&rest, nullptr);
    } while (succeeds(link_.queue));
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    succeeds(link_.queue);
  }

  auto& stream() { return *stream_; }
  grpc::CompletionQueue& queue() { return link_.queue; }

 private:
  grpc::ClientContext context_;
  Connected link_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Message, Message>> stream_;
};

/// The server's side: it takes one stream.
class StreamServer {
 public:
  explicit StreamServer(const Place& place) : listener_(place) {
    listener_.service.RequestStream(&context_, &stream_, &queue(), listener_.queue.get(), nullptr);
    if (!succeeds(queue())) fail_closed("RequestStream");
    place.path.unlink();
  }
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;
  ~StreamServer() {
    if (std::uncaught_exceptions() > 0) return;
    Message rest;
    do {
      stream_.Read(&rest, nullptr);
    } while (succeeds(queue()));
    stream_.Finish(grpc::Status::OK, nullptr);
    succeeds(queue());
  }

  auto& stream() { return stream_; }
  grpc::CompletionQueue& queue() { return *listener_.queue; }

 private:
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<Message, Message> stream_{&context_};
  Listener listener_;
};

/// An end of either side. One operation is under way at a time, so that no tag tells which.
template <class Side>
class StreamEnd {
 public:
  explicit StreamEnd(const Place& place) : side_(std::make_unique<Side>(place)) {}

  Bytes reserve(std::size_t size) { return room_in(out_, size); }
  void commit() {
    side_->stream().Write(out_, nullptr);
    if (!succeeds(side_->queue())) [[unlikely]]
      fail_closed("Write");
  }
  View peek(std::size_t) {
    side_->stream().Read(&in_, nullptr);
    if (!succeeds(side_->queue())) [[unlikely]]
      fail_closed("Read");
    return view(in_);
  }
  void release() {}

 private:
  std::unique_ptr<Side> side_;
  Message out_;
  Message in_;
};

}  // namespace ipcbench::exchange
