#pragma once

namespace retromass {

/// Whether this program was built under a sanitizer whose shadow memory alone is larger than any limit of address space that means something.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kShadowMemory = true;
#else
inline constexpr bool kShadowMemory = false;
#endif

}  // namespace retromass
