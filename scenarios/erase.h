// erase.h: any transport's link behind the virtual functions of harness/any_link.h.
#pragma once

#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include "harness/any_link.h"
#include "scenarios/links.h"

namespace ipcbench {

template <class End>
constexpr Verbs verbs_of() {
  return {.send = Sender<End> || Caller<End>,
          .receive = Receiver<End> || Server<End>,
          .notify = Notifier<End>,
          .wait = Waiter<End>,
          .lock = Lockable<End>,
          .call = Caller<End>};
}

template <class T, class End>
class ErasedEnd final : public AnyEnd {
 public:
  ErasedEnd(End end, const Shape& shape) : end_(lend<T>(std::move(end), shape)) {
    if constexpr (Caller<End> || Server<End>) {
      message_ = AlignedBuffer(shape.size);
      reply_ = AlignedBuffer(shape.size);
      room_ = shape.size;
    }
  }

  Verbs verbs() const override { return verbs_of<End>(); }
  Bytes reserve(std::size_t size) override {
    if constexpr (Sender<End>) return end_.reserve(size);
    if constexpr (Caller<End>) {
      message_size_ = size;
      return {message_.data(), size};
    }
    fail_verb();
  }
  void commit() override {
    if constexpr (Sender<End>) return end_.commit();
    if constexpr (Caller<End>) {
      reply_size_ = end_.call({message_.data(), message_size_}, {reply_.data(), room_});
      return;
    }
    fail_verb();
  }
  View peek(std::size_t size) override {
    if constexpr (Receiver<End>) return end_.peek(size);
    if constexpr (Server<End>) {
      end_.serve(1, [this](View request, Bytes reply) {
        message_size_ = request.size();
        std::memcpy(message_.data(), request.data(), request.size());
        std::memcpy(reply.data(), request.data(), request.size());
        return request.size();
      });
      return {message_.data(), message_size_};
    }
    fail_verb();
  }
  void release() override {
    if constexpr (Receiver<End>) return end_.release();
    if constexpr (Server<End>) return;
    fail_verb();
  }
  View reply() const override { return {reply_.data(), reply_size_}; }
  void notify() override {
    if constexpr (Notifier<End>) return end_.notify();
    fail_verb();
  }
  void wait() override {
    if constexpr (Waiter<End>) return end_.wait();
    fail_verb();
  }
  void lock() override {
    if constexpr (Lockable<End>) return end_.lock();
    fail_verb();
  }
  void unlock() override {
    if constexpr (Lockable<End>) return end_.unlock();
    fail_verb();
  }
  bool knows_of_death() const override {
    if constexpr (requires { end_.owner_died; }) return end_.owner_died;
    return false;
  }

 private:
  [[noreturn]] static void fail_verb() { throw std::logic_error("this end has no such verb"); }

  decltype(lend<T>(std::declval<End>(), std::declval<const Shape&>())) end_;
  // Of calls alone:
  AlignedBuffer message_;
  AlignedBuffer reply_;
  std::size_t room_ = 0;
  std::size_t message_size_ = 0;
  std::size_t reply_size_ = 0;
};

template <Paired T>
class ErasedLink final : public AnyLink {
 public:
  explicit ErasedLink(const Shape& shape) : shape_(shape), link_(shape) {}
  std::unique_ptr<AnyEnd> producer() override {
    return std::make_unique<ErasedEnd<T, ProducerOf<T>>>(link_.producer(), shape_);
  }
  std::unique_ptr<AnyEnd> consumer() override {
    return std::make_unique<ErasedEnd<T, ConsumerOf<T>>>(link_.consumer(), shape_);
  }

 private:
  Shape shape_;
  T link_;
};

template <Paired T>
LinkMaker link_maker() {
  return {.producer = verbs_of<ProducerOf<T>>(),
          .consumer = verbs_of<ConsumerOf<T>>(),
          .make = [](const Shape& shape) -> std::unique_ptr<AnyLink> {
            return std::make_unique<ErasedLink<T>>(shape);
          }};
}

}  // namespace ipcbench
