"""The Object Detection API and its kin: recognition, configs, roots, label maps, freezing, advice."""
