#pragma once

#include <cstdint>

#include "core/geometry.h"
#include "sample_data/canvas.h"
#include "sample_data/phantom.h"

namespace retromass::sample_data {

/// HU of each tissue in a phase of contrast.
struct Tissue {
    double aorta, cava_below_kidneys, cava, portal, liver, spleen, cortex, medulla, pancreas, muscle, bowel_wall, uterus, mass, clusters;
};
const Tissue& tissue_in(Phase phase);

inline constexpr double kAir_hu = -1000;
inline constexpr double kFat_hu = -103;

/// A patient's build. Positions of the atlas are those of patient 1; `at` places them in another body.
struct Body {
    std::uint64_t seed = 1;
    double width = 1;
    double depth = 1;
    double height = 1;
    double fat = 1;    ///< subcutaneous, as a factor
    double girth = 1;  ///< of the belly in front and at the flanks: it yields to a mass

    PatientPoint at(double x, double y, double z) const { return {x * width, y * depth, z * height}; }
    double size() const { return (width + depth + height) / 3; }
    /// -1..1, always the same for the same organ of a patient.
    double varied(int organ) const;
};
/// Patient 1 is the atlas; every other seed is another body within adult limits.
Body body_of(std::uint64_t seed);
inline constexpr double kHeight_mm = 450;  ///< symphysis to the liver's dome in the atlas

/// The wall of the trunk: skin, subcutaneous fat, muscle layers, ribs. Depths are below the outer surface of the muscles.
class Wall {
public:
    explicit Wall(const Body& body) : body_(body) {}
    double depth(PatientPoint p) const;
    /// Thickness of the muscle layers at p, mm.
    double muscle_mm(PatientPoint p) const;
    double fat_mm(PatientPoint p) const;
    /// Whole width and depth of the trunk with its fat, mm.
    double widest_mm() const;
    double deepest_mm() const;
    /// Air, table, skin, fat, muscles, ribs, and fat in the cavity, on the whole slice.
    void paint(Canvas& canvas, const Tissue& tissue) const;

private:
    struct Place {
        double depth, x, y;  ///< x, y of the unit outline
    };
    struct Outline {
        double half_width, front, back;
    };
    Outline outline(double z) const;
    Place place(PatientPoint p, const Outline& o) const;
    double fat_at(const Place& at, double z) const;
    double muscle_at(const Place& at, PatientPoint p, double z) const;
    double rib_hu(const Place& at, PatientPoint p, double z, double below) const;
    Body body_;
};

/// Bones, organs, vessels and bowel of one study in the order in which they are painted.
class LobulatedMass;
void add_skeleton(std::vector<Solid>& out, const Body& body);
void add_lungs(std::vector<Solid>& out, const Body& body, const Wall& wall);
void add_muscles(std::vector<Solid>& out, const Body& body, const Tissue& tissue);
void add_organs(std::vector<Solid>& out, const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass);
void add_vessels(std::vector<Solid>& out, const Body& body, const Tissue& tissue, const LobulatedMass* mass);
/// `study` varies the small bowel, which never lies twice in the same way.
void add_bowel(std::vector<Solid>& out, const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass, std::uint64_t study);

}  // namespace retromass::sample_data
