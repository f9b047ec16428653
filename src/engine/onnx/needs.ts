import type { DeviceKind } from '../devices.ts';

const gpuFiles = 'the GPU files of onnxruntime-node (npm rebuild --ignore-scripts=false onnxruntime-node)';

/** What onnxruntime needs for each kind of device, for messages and docs. */
export const needsOfOnnxruntime: Readonly<Record<DeviceKind, string>> = {
  cpu: 'the package onnxruntime-node installed for this platform',
  cuda: `an NVIDIA GPU of that number, CUDA 12 and cuDNN 9, and ${gpuFiles}`,
  tensorrt: `an NVIDIA GPU of that number, CUDA 12, cuDNN 9 and TensorRT 10, and ${gpuFiles}`,
  webgpu: 'a Vulkan, Metal or Direct3D 12 driver',
};
