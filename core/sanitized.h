#pragma once

#if defined(__has_feature)  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RETROMASS_SHADOW_MEMORY
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RETROMASS_SHADOW_MEMORY
#endif

namespace retromass {

/// Whether this program was built under a sanitizer whose shadow memory alone is larger than any limit of address space that means something.
#ifdef RETROMASS_SHADOW_MEMORY
inline constexpr bool kShadowMemory = true;
#else
inline constexpr bool kShadowMemory = false;
#endif

}  // namespace retromass
