// erase.h: any transport's link behind the virtual functions of harness/any_link.h.
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>

#include "harness/any_link.h"
#include "scenarios/links.h"

namespace ipcbench {

template <class End>
constexpr Verbs verbs_of() {
  return {.send = Sender<End>,
          .receive = Receiver<End>,
          .notify = Notifier<End>,
          .wait = Waiter<End>,
          .lock = Lockable<End>};
}

template <class T, class End>
class ErasedEnd final : public AnyEnd {
 public:
  ErasedEnd(End end, const Shape& shape) : end_(lend<T>(std::move(end), shape)) {}

  Verbs verbs() const override { return verbs_of<End>(); }
  Bytes reserve(std::size_t size) override {
    if constexpr (Sender<End>) return end_.reserve(size);
    fail_verb();
  }
  void commit() override {
    if constexpr (Sender<End>) return end_.commit();
    fail_verb();
  }
  View peek(std::size_t size) override {
    if constexpr (Receiver<End>) return end_.peek(size);
    fail_verb();
  }
  void release() override {
    if constexpr (Receiver<End>) return end_.release();
    fail_verb();
  }
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

 private:
  [[noreturn]] static void fail_verb() { throw std::logic_error("this end has no such verb"); }

  decltype(lend<T>(std::declval<End>(), std::declval<const Shape&>())) end_;
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
